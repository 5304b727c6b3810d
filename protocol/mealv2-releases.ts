/**
 * The students that the authors of MEAL V2 released, version 1.0.0 of github.com/szq0214/MEAL-V2. They are PyTorch files and
 * on no hub: somebody downloads them and puts them into the weights folder.
 */
import { IMAGENET_PREPROCESSING, type PublishedWeights } from './network-spec.ts';
import type { NetworkName } from './networks.ts';

export interface MealV2Release {
  network: NetworkName;
  file: string;
  published: PublishedWeights;
}

/** Results are those of the authors' table: one crop, resized bilinearly, ImageNet's mean and deviation for every network. */
function release(
  network: NetworkName,
  [tag, file]: [string, string],
  inputSize: number,
  [top1, top5]: [number, number],
): MealV2Release {
  const preprocessing = { ...IMAGENET_PREPROCESSING, inputSize, interpolation: 'bilinear' as const };
  return { network, file: `MEALV2_${file}.pth`, published: { tag, preprocessing, top1, top5 } };
}

export const MEAL_V2_RELEASES: readonly MealV2Release[] = [
  release('resnet50', ['mealv2_224', 'ResNet50_224'], 224, [80.67, 95.09]),
  release('resnet50', ['mealv2_cutmix_224', 'ResNet50_224_cutmix'], 224, [80.98, 95.35]),
  release('resnet50', ['mealv2_380', 'ResNet50_380'], 380, [81.72, 95.81]),
  release('tf_mobilenetv3_small_075', ['mealv2_224', 'MobileNet_V3_Small_0.75_224'], 224, [67.6, 87.23]),
  release('tf_mobilenetv3_small_100', ['mealv2_224', 'MobileNet_V3_Small_1.0_224'], 224, [69.65, 88.71]),
  release('tf_mobilenetv3_large_100', ['mealv2_224', 'MobileNet_V3_Large_1.0_224'], 224, [76.92, 93.32]),
  release('tf_efficientnet_b0', ['mealv2_224', 'EfficientNet_B0_224'], 224, [78.29, 93.95]),
];
