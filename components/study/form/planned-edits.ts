/** Changes of the networks to train first that must reach everything that refers to them. */
import type { NetworkRef } from '@mealtable/protocol/study-design';
import { nextDraftId, type PlannedDraft, type StudyDraft } from './draft.ts';
import { newOptimizer } from './optimizer-draft.ts';
import { startFrom } from './teacher-choices.ts';

const mapRefs = (draft: StudyDraft, change: (ref: NetworkRef) => NetworkRef | null): StudyDraft => {
  const mapSet = (set: readonly NetworkRef[]) => set.flatMap((ref) => change(ref) ?? []);
  const { start } = draft;
  return {
    ...draft,
    start: start.kind === 'random' || start.kind === 'pretrained' ? start : startFrom(change(start)),
    // An ensemble that loses its last teacher is no level any more.
    teachers: draft.teachers.map(mapSet).filter((set) => set.length > 0),
    list: draft.list.map((variant) => ({ ...variant, teachers: mapSet(variant.teachers) })),
  };
};

/** @returns the draft with the network changed; a new key is followed wherever the old one stood */
export function changePlanned(draft: StudyDraft, id: string, part: Partial<PlannedDraft>): StudyDraft {
  const old = draft.planned.find((planned) => planned.id === id);
  if (!old) return draft;
  const changed = {
    ...draft,
    planned: draft.planned.map((planned) => (planned.id === id ? { ...planned, ...part } : planned)),
  };
  const { key } = part;
  // While two have the same key, references to it must not be dragged along by either.
  if (key === undefined || key === old.key || draft.planned.some((other) => other.id !== id && other.key === old.key))
    return changed;
  return mapRefs(changed, (ref) => (ref.kind === 'planned' && ref.key === old.key ? { ...ref, key } : ref));
}

export function removePlanned(draft: StudyDraft, id: string): StudyDraft {
  const old = draft.planned.find((planned) => planned.id === id);
  const rest = { ...draft, planned: draft.planned.filter((planned) => planned.id !== id) };
  if (!old || rest.planned.some((other) => other.key === old.key)) return rest;
  return mapRefs(rest, (ref) => (ref.kind === 'planned' && ref.key === old.key ? null : ref));
}

/** One more, with the study's own budget and the next free name. */
export function addPlanned(draft: StudyDraft): StudyDraft {
  const taken = new Set(draft.planned.map((planned) => planned.key));
  const key = [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => `teacher-${letter}`).find((name) => !taken.has(name));
  const planned: PlannedDraft = {
    id: nextDraftId(),
    key: key ?? `teacher-${draft.planned.length + 1}`,
    network: draft.planned.length % 2 === 0 ? 'resnet50' : 'resnet34',
    inputSize: String(draft.inputSize[0] ?? 224),
    epochs: draft.epochs,
    batchSize: draft.batchSize,
    seed: '0',
    optimizer: newOptimizer(),
    accumulation: '1',
    labelSmoothing: '0',
    mixing: null,
    ema: null,
  };
  return { ...draft, planned: [...draft.planned, planned] };
}
