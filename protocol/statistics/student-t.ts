/** Student's t distribution, by the regularised incomplete beta function. */

/** Lanczos' approximation of ln Γ(x) for x > 0, with P. Godfrey's coefficients for g = 7; relative error about 1e-15. */
const G = 7;
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];
function lnGamma(x: number): number {
  const z = x - 1;
  const series = LANCZOS.reduce((sum, c, i) => (i === 0 ? c : sum + c / (z + i)), 0);
  const t = z + G + 0.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(series);
}

/** Keeps Lentz' method from dividing by 0. */
const TINY = 1e-300;
/** The fraction needs about √max(a, b) terms, far fewer for any study. */
const MAX_TERMS = 10_000;

/** The continued fraction 8.17.22 of the NIST Digital Library of Mathematical Functions, by the modified method of Lentz. */
function betaFraction(x: number, a: number, b: number): number {
  const awayFromZero = (value: number) => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= MAX_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 / awayFromZero(1 + term * d);
      c = awayFromZero(1 + term / c);
      change = c * d;
      fraction *= change;
    }
    if (Math.abs(change - 1) < 1e-15) return fraction;
  }
  throw new RangeError(`The incomplete beta function of ${x}, ${a}, ${b} did not converge.`);
}

/**
 * I_x(a, b). Takes 1 - x as well, which the caller knows without the cancellation.
 * @param x 0 to 1 @param rest 1 - x
 */
function regularisedBeta(x: number, rest: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (rest <= 0) return 1;
  const front = Math.exp(lnGamma(a + b) - lnGamma(a) - lnGamma(b) + a * Math.log(x) + b * Math.log(rest));
  // The fraction converges quickly below the mean; above it the reflection does.
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(rest, b, a)) / b;
}

/** @returns the chance of a value further from 0 than t, on either side @param df degrees of freedom, above 0 */
export function twoSidedP(t: number, df: number): number {
  const square = t * t;
  if (square === Number.POSITIVE_INFINITY) return 0;
  return regularisedBeta(df / (df + square), square / (df + square), df / 2, 0.5);
}

/** @returns the t that a share of `confidence` (0 to 1) lies within on both sides of 0, to the last digit but one */
export function criticalT(confidence: number, df: number): number {
  const outside = 1 - confidence;
  let low = 0;
  let high = 1;
  while (twoSidedP(high, df) > outside) high *= 2;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (twoSidedP(middle, df) > outside) low = middle;
    else high = middle;
  }
}
