/** One measurement on a GPU, as the driver (gpu.ts) hands it to the contenders' processes in their first argument. */
export interface GpuJob {
  network: string;
  classes: number;
  inputSize: number;
  batch: number;
  /** Of convolutions and matrix products; 'float32' lets both sides use TF32, TensorFlow's default. */
  precision: 'float32' | 'bfloat16' | 'float16';
  /** 'resident': one batch that stays on the GPU. 'fed': every step gets its images from the host's memory, as bytes. */
  feed: 'resident' | 'fed';
  learningRate: number;
  momentum: number;
  /** Where captured graphs are kept. */
  cacheFolder: string;
  /** PyTorch only: run the model through torch.compile. */
  compile?: boolean;
}

const PRECISIONS = ['float32', 'bfloat16', 'float16'] as const;
const FEEDS = ['resident', 'fed'] as const;

/** 'bfloat16:256' or 'bfloat16:256:fed'. Throws an Error for anything else. */
export function parseGpuCase(text: string): Pick<GpuJob, 'precision' | 'batch' | 'feed'> {
  const [precisionText, batchText, feedText = 'resident', ...rest] = text.split(':');
  const precision = PRECISIONS.find((name) => name === precisionText);
  const feed = FEEDS.find((name) => name === feedText);
  const batch = Number(batchText);
  if (precision === undefined || feed === undefined || !(Number.isInteger(batch) && batch > 0) || rest.length > 0) {
    throw new Error(`"${text}" is no case: give PRECISION:BATCH or PRECISION:BATCH:fed, e.g. bfloat16:256.`);
  }
  return { precision, batch, feed };
}
