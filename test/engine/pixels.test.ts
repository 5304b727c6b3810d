import { expect, test } from 'vitest';
import { capture } from '../../trainer/engine/capture.ts';
import { IMAGENET_NORMALISATION, normalisePixels, renormalise, uploadPixels } from '../../trainer/engine/pixels.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();

const bytes = Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3));

test('every byte is normalised by the ImageNet mean and deviation of its channel', () => {
  const [mean, deviation] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ];
  const expected = Array.from(bytes, (byte, i) => (byte / 255 - mean![i % 3]!) / deviation![i % 3]!);
  const actual = tf.tidy(() => normalisePixels(uploadPixels(bytes, 1)).dataSync());
  expectClose(actual, expected, 1e-6);
});

test('normalised in another way, at once or afterwards, is the same', () => {
  const wanted = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
  const [atOnce, afterwards] = tf.tidy(() => {
    const pixels = uploadPixels(bytes, 1);
    const renormalised = renormalise(normalisePixels(pixels), IMAGENET_NORMALISATION, wanted);
    return [normalisePixels(pixels, wanted).dataSync(), renormalised.dataSync()];
  }) as never as Float32Array[];
  expectClose(
    atOnce!,
    Array.from(bytes, (byte) => byte / 127.5 - 1),
    1e-6,
  );
  expectClose(afterwards!, [...atOnce!], 1e-6);
});

test('images whose bytes do not fill whole numbers are normalised alike', () => {
  const odd = tf.tidy(() => normalisePixels(uploadPixels(bytes.subarray(0, 27), 1)));
  expect(odd.shape).toEqual([1, 3, 3, 3]);
  const whole = tf.tidy(() => normalisePixels(uploadPixels(bytes, 1)));
  expectClose(odd.dataSync(), whole.dataSync().subarray(0, 27), 1e-6);
  tf.dispose([odd, whole]);
});

test('in a captured step the bytes are the input', () => {
  const pixels = uploadPixels(bytes, 1);
  const captured = capture(({ pixels }) => ({ images: normalisePixels(pixels) }), {
    inputs: { pixels },
    variables: [],
  });
  const others = uploadPixels(bytes.toReversed(), 1);
  const [actual, expected] = tf.tidy(() => [
    captured.run({ pixels: others }).images.dataSync(),
    normalisePixels(others).dataSync(),
  ]) as never as [Float32Array, Float32Array];
  expectClose(actual, expected, 1e-6);
  expect(actual[0]).toBeGreaterThan(2);
  captured.dispose();
  tf.dispose([pixels, others]);
});
