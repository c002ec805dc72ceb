// An orthographic camera around a box; lengths are those of the structure, and vectors are in the order x, y, z.
const CORNER = [45, 35.264];
export const VIEWS = { corner: CORNER, z: [0, 90], y: [0, 0], x: [90, 0] };

export function orbit(lengths) {
  const diagonal = Math.hypot(...lengths);
  const camera = { azimuth: CORNER[0], elevation: CORNER[1], zoom: 1, shift: [0, 0], distance: diagonal };

  // The first slice is on top; x grows to the lower right and y to the lower left, as in the figures of a report.
  camera.basis = () => {
    const [a, e] = [camera.azimuth, camera.elevation].map((angle) => (angle * Math.PI) / 180);
    const [sa, ca, se, ce] = [Math.sin(a), Math.cos(a), Math.sin(e), Math.cos(e)];
    return { right: [ca, -sa, 0], up: [-se * sa, -se * ca, -ce], towards: [ce * sa, ce * ca, -se] };
  };

  camera.turn = (azimuth, elevation) => {
    camera.azimuth = (camera.azimuth + azimuth + 360) % 360;
    camera.elevation = Math.min(Math.max(camera.elevation + elevation, -90), 90);
  };

  camera.look = (name) => {
    [camera.azimuth, camera.elevation] = VIEWS[name];
    camera.zoom = 1;
    camera.shift = [0, 0];
  };

  camera.closer = (factor) => { camera.zoom = Math.min(Math.max(camera.zoom * factor, 0.5), 40); };

  // A place in the picture, in parts of its height from the middle, to the right and upwards.
  camera.project = (point) => {
    const { right, up } = camera.basis();
    const from = point.map((value, axis) => value - lengths[axis] / 2);
    const along = (vector) => from.reduce((sum, value, axis) => sum + value * vector[axis], 0);
    return [(along(right) - camera.shift[0]) / camera.unit, (along(up) - camera.shift[1]) / camera.unit];
  };

  Object.defineProperty(camera, "unit", { get: () => (1.1 * diagonal) / camera.zoom }); // length that the height of the picture is
  return camera;
}

// A round length near a part of what is seen, and its text.
export function barOf(seen, unit) {
  const raw = seen / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const length = [5, 2, 1].find((factor) => factor * power <= raw) * power;
  return [length, `${Number(length.toPrecision(3))} ${unit.replace("um", "µm")}`];
}
