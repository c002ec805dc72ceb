// Only browsers that know no modules load this: it says so.
document.getElementById("work").innerHTML = '<p class="start">This browser is too old for the studio, which needs JavaScript modules: ' +
  "open the link in a browser of 2022 or later, or use the command line (matlens --help), which does the same.</p>";
