// All requests to the server: an answer that is no success becomes an error with the server's sentence.
export async function get(path, given = {}) {
  const query = new URLSearchParams(given).toString();
  return answered(await fetch(`/api/${path}${query ? `?${query}` : ""}`));
}

export async function post(path, given = {}) {
  const headers = { "Content-Type": "application/json", "X-MatLens": "1" };
  return answered(await fetch(`/api/${path}`, { method: "POST", headers, body: JSON.stringify(given) }));
}

export async function upload(file) {
  const headers = { "X-MatLens": "1", "X-Name": encodeURIComponent(file.name), "Content-Type": "application/octet-stream" };
  return answered(await fetch("/api/upload", { method: "POST", headers, body: file }));
}

export async function answered(answer) {
  const json = (answer.headers.get("content-type") || "").includes("json");
  const content = json ? await answer.json() : { error: (await answer.text()).replace(/^matlens: /, "") };
  if (!answer.ok) throw new Error(content.error || "the studio did not answer.");
  return content;
}

// A line of JSON, and a byte for each pixel after it.
export async function pixels(request) {
  const headers = { "Content-Type": "application/json", "X-MatLens": "1" };
  const answer = await fetch("/api/picture", { method: "POST", headers, body: JSON.stringify(request) });
  if (!answer.ok) return answered(answer);
  const content = new Uint8Array(await answer.arrayBuffer());
  const end = content.indexOf(10);
  return { ...JSON.parse(new TextDecoder().decode(content.subarray(0, end))), pixels: content.subarray(end + 1) };
}

// A path of the folder as an address; each part is encoded for itself, so that a slash stays one.
export function address(path) {
  const [name, query] = path.split(/\?(?=\d+$)/);
  return `/files/${name.split("/").map(encodeURIComponent).join("/")}${query ? `?${query}` : ""}`;
}
