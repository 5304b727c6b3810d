/** Child process of the set-up: loads tfjs-node-gpu from the folder in argv[2], computes a convolution and reports as JSON. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
// Gone from Node 23 on, and announced with a warning on every call before; the package calls it on every read.
require('node:util').isNullOrUndefined = (/** @type {unknown} */ value) => value === null || value === undefined;
const tf = require(process.argv[2] ?? '');

// 1..9 in a 3x3 image under a 2x2 filter of ones: the sums of its four corners.
const image = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
const sums = tf.conv2d(image, tf.ones([2, 2, 1, 1]), 1, 'valid').dataSync();
if (sums.join() !== '12,16,24,28') throw new Error(`A test convolution gave ${sums.join()} instead of 12,16,24,28`);

const backend = tf.backend();
console.log(JSON.stringify({ version: backend.binding.TF_Version, device: backend.isUsingGpuDevice ? 'gpu' : 'cpu' }));
