/** What agents of protocol 1 understand of run configs: they do not say so themselves. Goes with the support of that protocol. */
const FIELDS = `
  accumulation batchSize dataset discriminator discriminatorOptions discriminatorOptions.finalRelu
  discriminatorOptions.gradient discriminatorOptions.inputs discriminatorOptions.learningRateFactor ema ema.decay
  ema.warmup ensemble epochs hardLabelWeight initialisation initialisation.head initialisation.kind initialisation.runId
  initialisation.weights inputSize labelSmoothing mixing mixing.alpha mixing.kind mixing.probability network optimizer
  optimizer.adamw optimizer.adamw.beta1 optimizer.adamw.beta2 optimizer.adamw.epsilon optimizer.decayedParameters
  optimizer.learningRate optimizer.momentum optimizer.schedule optimizer.schedule.dropAtEpochs optimizer.schedule.factor
  optimizer.schedule.kind optimizer.schedule.warmupEpochs optimizer.weightDecay precision preprocessing
  preprocessing.cropFraction preprocessing.interpolation preprocessing.mean preprocessing.std seed softLabels
  softLabels.augmentationSeed softLabels.keep softLabels.logits softLabels.mode softLabels.viewsPerImage source
  source.checkpointId source.kind source.runId source.weights task teachers teachers.kind teachers.runId teachers.weight
  teachers.weights temperature version
`;

const VALUES = {
  'discriminatorOptions.gradient': 'cooperative detached reversal',
  'discriminatorOptions.inputs': 'logits probabilities',
  ensemble: 'mean-logit mean-probability random-teacher',
  'initialisation.head': 'keep replace',
  'initialisation.kind': 'pretrained random run',
  'mixing.kind': 'cutmix mixup',
  network: `
    efficientnet_b0 efficientnet_b0_w8 mobilenetv3_large_025 mobilenetv3_large_100 mobilenetv3_small_025
    mobilenetv3_small_050 mobilenetv3_small_075 mobilenetv3_small_100 resnet101 resnet152 resnet152s resnet17s_w8 resnet18
    resnet18_w16 resnet18_w32 resnet18_w8 resnet34 resnet34_w16 resnet34_w32 resnet34_w8 resnet50 resnet50_w16 resnet50_w32
    resnet50_w8 senet154 senet19_w8 tf_efficientnet_b0 tf_efficientnet_b0_w8 tf_efficientnet_b1 tf_efficientnet_b2
    tf_efficientnet_b3 tf_efficientnet_b4 tf_mobilenetv3_large_025 tf_mobilenetv3_large_100 tf_mobilenetv3_small_025
    tf_mobilenetv3_small_075 tf_mobilenetv3_small_100
  `,
  'optimizer.decayedParameters': 'all kernels',
  'optimizer.schedule.kind': 'constant cosine step',
  precision: 'bfloat16 float16 float32',
  'preprocessing.interpolation': 'bicubic bilinear',
  'softLabels.keep': '10 5 full',
  'softLabels.mode': 'cached online',
  'source.kind': 'pretrained run',
  task: 'classification distillation evaluation',
  'teachers.kind': 'pretrained run',
  version: '1',
};

const WEIGHTS = `
  efficientnet_b0.ra_in1k mobilenetv3_large_100.ra_in1k mobilenetv3_small_050.lamb_in1k mobilenetv3_small_075.lamb_in1k
  mobilenetv3_small_100.lamb_in1k resnet101.gluon_in1k resnet101.tv_in1k resnet152.gluon_in1k resnet152.tv_in1k
  resnet152s.gluon_in1k resnet18.tv_in1k resnet34.gluon_in1k resnet50.a1_in1k resnet50.mealv2_224 resnet50.mealv2_380
  resnet50.mealv2_cutmix_224 resnet50.ram_in1k resnet50.tv_in1k senet154.gluon_in1k tf_efficientnet_b0.aa_in1k
  tf_efficientnet_b0.mealv2_224 tf_efficientnet_b0.ns_jft_in1k tf_efficientnet_b1.aa_in1k tf_efficientnet_b1.ns_jft_in1k
  tf_efficientnet_b2.aa_in1k tf_efficientnet_b2.ns_jft_in1k tf_efficientnet_b3.aa_in1k tf_efficientnet_b3.ns_jft_in1k
  tf_efficientnet_b4.aa_in1k tf_efficientnet_b4.in1k tf_efficientnet_b4.ns_jft_in1k tf_mobilenetv3_large_100.in1k
  tf_mobilenetv3_large_100.mealv2_224 tf_mobilenetv3_small_075.in1k tf_mobilenetv3_small_075.mealv2_224
  tf_mobilenetv3_small_100.in1k tf_mobilenetv3_small_100.mealv2_224
`;

const words = (text: string) => text.trim().split(/\s+/);

export const FEATURES_OF_PROTOCOL_1: ReadonlySet<string> = new Set([
  ...words(FIELDS),
  ...Object.entries(VALUES).flatMap(([field, values]) => words(values).map((value) => `${field}=${value}`)),
  ...['initialisation', 'source', 'teachers'].flatMap((field) =>
    words(WEIGHTS).map((name) => `${field}.weights=${name}`),
  ),
]);
