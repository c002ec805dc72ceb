// A volume in space by WebGL 2: each ray goes from voxel to voxel, and meets the surfaces of the phases that are shown.
const RAYS = `#version 300 es
void main() {
  gl_Position = vec4(vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0), 0.0, 1.0);
}`;

const TRAVERSAL = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler3D;
uniform usampler3D voxels;
uniform sampler2D palette;   // colour and opacity of each label
uniform vec3 low, high;      // what is left by the clip planes, in voxels
uniform vec3 corner, right, up, direction;  // of the rays, in voxels
uniform vec3 spacing, light;
uniform float depth;         // voxels of a ray after which a surface is darkest
out vec4 colour;

float solid(ivec3 place) {
  if (any(lessThan(place, ivec3(low))) || any(greaterThanEqual(place, ivec3(high)))) return 0.0;
  return texelFetch(palette, ivec2(int(texelFetch(voxels, place, 0).r), 0), 0).a;
}

float lit(ivec3 cell, vec3 side) {
  vec3 slope = -side * sign(direction);
  for (int reach = 1; reach <= 2; reach++) {
    slope.x += solid(cell - ivec3(reach, 0, 0)) - solid(cell + ivec3(reach, 0, 0));
    slope.y += solid(cell - ivec3(0, reach, 0)) - solid(cell + ivec3(0, reach, 0));
    slope.z += solid(cell - ivec3(0, 0, reach)) - solid(cell + ivec3(0, 0, reach));
  }
  return 0.42 + 0.58 * max(dot(normalize(slope / spacing), light), 0.0);
}

float facing(vec3 side) {
  return min(dot(side, vec3(0.68, 0.84, 1.0)), 1.0);
}

void main() {
  vec3 start = corner + gl_FragCoord.x * right + gl_FragCoord.y * up;
  vec3 inverse = 1.0 / direction;
  vec3 one = (low - start) * inverse, other = (high - start) * inverse;
  vec3 near = min(one, other), far = max(one, other);
  float enter = max(max(near.x, near.y), near.z), leave = min(min(far.x, far.y), far.z);
  colour = vec4(0.0);
  if (enter >= leave) return;
  vec3 side = step(vec3(enter), near);  // 1 for the axis whose plane was crossed last
  ivec3 onward = ivec3(sign(direction));
  ivec3 cell = clamp(ivec3(floor(start + enter * direction)), ivec3(low), ivec3(high) - 1);
  vec3 further = abs(inverse);
  vec3 next = (vec3(cell) + max(sign(direction), 0.0) - start) * inverse;
  leave -= 1e-3 * min(min(further.x, further.y), further.z);  // so that rounding does not lead out
  // Software rendering computes both sides of each branch and leaves out only loops, so the march has a loop of its own
  // that holds nothing else, and the light on a slope, which takes 24 reads, comes once, after all of them.
  float open = 1.0, now = enter;
  uint label = texelFetch(voxels, cell, 0).r, before = label;
  vec4 last = vec4(0.0);  // the surface that ends the ray: its colour, and how much of it is seen
  while (now < leave) {
    vec4 paint = texelFetch(palette, ivec2(int(label), 0), 0);
    paint.rgb *= now > enter ? mix(1.0, 0.45, min((now - enter) / depth, 1.0)) : 1.0;
    if (paint.a > 0.99) {
      last = vec4(paint.rgb, open);
      open = 0.0;
      break;
    }
    colour.rgb += open * paint.a * facing(side) * paint.rgb;
    open *= 1.0 - paint.a;
    if (open < 0.08) break;
    before = label;
    do {
      now = min(min(next.x, next.y), next.z);
      side = step(next, vec3(now));
      cell += ivec3(side) * onward;
      next += side * further;
      label = texelFetch(voxels, cell, 0).r;
    } while (label == before && now < leave);
  }
  float shade = facing(side);
  for (bool inside = last.a > 0.0 && now > enter; inside; inside = false) shade = lit(cell, side);
  colour.rgb += last.a * shade * last.rgb;
  colour.a = 1.0 - open;
}`;

// Returns null where the browser has no WebGL 2. All vectors are in the order x, y, z.
export function caster(canvas) {
  const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, depth: false, preserveDrawingBuffer: true });
  if (!gl) return null;
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, RAYS], [gl.FRAGMENT_SHADER, TRAVERSAL]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  const at = (name) => gl.getUniformLocation(program, name);
  const texture = (unit, target) => {
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(target, gl.createTexture());
    for (const edge of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(target, edge, gl.NEAREST);
  };
  texture(0, gl.TEXTURE_3D);
  texture(1, gl.TEXTURE_2D);
  gl.uniform1i(at("voxels"), 0);
  gl.uniform1i(at("palette"), 1);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  let volume = null;

  function load(found) {
    volume = found;
    const [z, y, x] = found.shape;
    gl.activeTexture(gl.TEXTURE0);
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.R8UI, x, y, z, 0, gl.RED_INTEGER, gl.UNSIGNED_BYTE, found.pixels);
  }

  function paint(palette) {
    gl.activeTexture(gl.TEXTURE1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, palette);
  }

  // Draws a frame and returns its time in milliseconds.
  function draw(camera, low, high) {
    const begun = performance.now();
    const { right, up, towards } = camera.basis();
    const spacing = [...volume.spacing].reverse();
    const each = camera.unit / canvas.height; // length of a pixel
    const middle = volume.shape.map((side, axis) => (side * volume.spacing[axis]) / 2).reverse();
    const voxels = (vector, factor) => vector.map((value, axis) => (value * factor) / spacing[axis]);
    const corner = middle.map((value, axis) => value + camera.distance * towards[axis] +
      (camera.shift[0] - (each * canvas.width) / 2) * right[axis] + (camera.shift[1] - (each * canvas.height) / 2) * up[axis]);
    // A ray along an axis never meets the planes normal to the others; a slant of a millionth spares dividing by zero.
    const direction = voxels(towards, -1).map((value) => (Math.abs(value) < 1e-6 ? 1e-6 : value));
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.uniform3fv(at("low"), low);
    gl.uniform3fv(at("high"), high);
    gl.uniform3fv(at("corner"), voxels(corner, 1));
    gl.uniform3fv(at("right"), voxels(right, each));
    gl.uniform3fv(at("up"), voxels(up, each));
    gl.uniform3fv(at("direction"), direction);
    gl.uniform3fv(at("spacing"), spacing);
    const lamp = right.map((value, axis) => 0.35 * value + 0.6 * up[axis] + 0.72 * towards[axis]);
    gl.uniform3fv(at("light"), lamp);
    gl.uniform1f(at("depth"), camera.distance);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); // waits until the frame is there
    return performance.now() - begun;
  }

  return { load, paint, draw, most: gl.getParameter(gl.MAX_3D_TEXTURE_SIZE) };
}
