#!/usr/bin/env bash
# ml-levenberg-marquardt 5.1.0: the fit of a transient absorption of 1e-4 returns its start, of one of 1e-3 a lifetime
# that is 5 % too short, and of a lifetime in seconds its start again.
#
# A decay with a lifetime of 3 ns, 200 points, noise 1 % of its height, started at 0.7 of the height and 1.5 ns.
# Height 1: 3.00 ns. Height 1e-3, a difference of absorbance of 1 mOD: 2.86 ns after 6 steps. 1e-4: 1.5 ns after 0
# steps. One expects a fit by least squares not to depend on the unit of its values. The fit ends as soon as the sum
# of squares is below errorTolerance, 0.01, which it is from the start for small values; as documented, this is a bound
# of the sum itself, not of its change. With errorTolerance: 0 all three are 3.00 ns. The times have a unit of their
# own: in seconds the lifetime stays at 1.5e-9 through 1,000 steps, as slopes are taken over a step of 0.1,
# gradientDifference, in whatever unit a parameter has. There is no error and no warning, and parameterError is small.
# A remedy: values and parameters of the size of 1.
#
# Seen (lifetime, steps): 1 3.00 ns; 1e-3 2.86 ns, 6; 1e-4 1.5 ns, 0; errorTolerance 0 3.00 ns each; in s 1.5 ns
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --prefix . --silent --no-audit --no-fund ml-levenberg-marquardt@5.1.0 > log 2>&1 || { cat log; exit 1; }
cat > fit.mjs <<'JAVASCRIPT'
import { levenbergMarquardt } from "ml-levenberg-marquardt";

const LIFETIME_NS = 3;

/** Numbers of a normal distribution, the same in each run. */
function normal(seed) {
  let state = seed;
  const even = () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return (state + 1) / 4294967297;
  };
  return () => Math.sqrt(-2 * Math.log(even())) * Math.cos(2 * Math.PI * even());
}

/** Lifetime in ns, and steps, of a decay of this height with the times in a unit of so many ns. */
function fit(height, unit, options) {
  const noise = normal(1);
  const x = Array.from({ length: 200 }, (_, index) => (index * 0.05) / unit);
  const y = x.map((time) => height * (Math.exp((-time * unit) / LIFETIME_NS) + 0.01 * noise()));
  const decay = ([top, lifetime]) => (time) => top * Math.exp(-time / lifetime);
  const initialValues = [0.7 * height, 1.5 / unit];
  const result = levenbergMarquardt({ x, y }, decay, { initialValues, maxIterations: 1000, ...options });
  return { lifetime: result.parameterValues[1] * unit, steps: result.iterations };
}

const near = (value, expected) => Math.abs(value - expected) < 0.02;
let asSeen = true;
for (const [height, seen] of [[1, 3], [1e-3, 2.86], [1e-4, 1.5]]) {
  const { lifetime, steps } = fit(height, 1, {});
  const strict = fit(height, 1, { errorTolerance: 0 });
  console.log(`height ${height}: ${lifetime.toFixed(2)} ns, ${steps} steps; strict ${strict.lifetime.toFixed(2)} ns`);
  asSeen &&= near(lifetime, seen) && near(strict.lifetime, LIFETIME_NS) && (height > 1e-4 || steps === 0);
}
const inSeconds = fit(1, 1e9, { errorTolerance: 0 });
console.log(`times in s: ${inSeconds.lifetime.toFixed(2)} ns, ${inSeconds.steps} steps`);
process.exit(asSeen && inSeconds.lifetime === 1.5 && inSeconds.steps === 1000 ? 0 : 1);
JAVASCRIPT
node fit.mjs
