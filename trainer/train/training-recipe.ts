/** Puts around a task what its run's recipe asks for besides the loss. */
import type { AdamWConfig, RecipeFields } from '@mealtable/protocol/training-recipe';
import { Rng } from '../engine/rng.ts';
import { createNetwork } from '../models/create-network.ts';
import type { Network } from '../models/network.ts';
import type { DecayedParameters } from '../optim/optimizer.ts';
import { withAverage } from './averaged-task.ts';
import { withMixing } from './mixed-task.ts';
import type { Task } from './task.ts';
import type { UpdaterOptions } from './updater.ts';

/** What of a TrainingConfig is looked at here. */
export interface Recipe extends RecipeFields {
  optimizer: {
    momentum: number;
    weightDecay: number;
    decayedParameters?: DecayedParameters | undefined;
    adamw?: AdamWConfig | undefined;
  };
  seed: number;
  inputSize: number;
}

/** The updater's share; it computes in float32 unless told otherwise. */
export function updaterOptionsOf({ optimizer, accumulation }: Recipe): UpdaterOptions {
  const { momentum, weightDecay, decayedParameters, adamw } = optimizer;
  return { momentum, weightDecay, decayedParameters, adamw, accumulation };
}

/** Takes over `task`, whose network is at its starting point; averages begin there. */
export async function followRecipe(task: Task, recipe: Recipe): Promise<Task> {
  const { mixing, ema, seed, inputSize, accumulation } = recipe;
  const mixed = mixing === undefined ? task : withMixing(task, mixing, seed, inputSize);
  if (ema === undefined) return mixed;
  return withAverage(mixed, await copyOf(task.network, seed), { ...ema, stepsPerUpdate: accumulation });
}

async function copyOf(network: Network, seed: number): Promise<Network> {
  const copy = createNetwork(network.name, network.numClasses, Rng.seeded(seed, 'average'));
  await copy.load(network.toSource());
  return copy;
}
