/** checkDesign: everything that makes a well-formed design impossible, each fault with its field and its mending. */
import { checkChoices, findRepeated } from './check-choices.ts';
import type { DesignContext } from './expand-design.ts';
import { NETWORKS, type NetworkName } from './networks.ts';
import { KNOWN_WEIGHTS, PUBLISHED_CLASS_COUNT } from './published-weights.ts';
import { explainOtherNetwork, type PretrainedStart, teacherSize } from './run-config.ts';
import { discriminatorWord, factorOf } from './study-choices.ts';
import type { FieldProblem, Levels, NetworkRef, StudyDesign } from './study-design.ts';
import { ensembleKey, studentVariantKey } from './variant-key.ts';

interface Check {
  design: StudyDesign;
  levels: Levels[];
  context: DesignContext;
  add(path: string, message: string): void;
}

/** @param levels the design's variants, already bounded in number */
export function checkDesign(design: StudyDesign, levels: Levels[], context: DesignContext): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const check: Check = { design, levels, context, add: (path, message) => problems.push({ path, message }) };
  if (context.classCount === null)
    check.add('dataset', `No host has a dataset named "${design.dataset}". Attach one, or choose another dataset.`);
  checkPlanned(check);
  checkStart(check);
  if (design.design === 'list') checkList(check);
  else checkFactors(check);
  checkChoices(design, levels, check.add);
  const repeated = findRepeated(design.seeds, String);
  if (repeated !== null)
    check.add('seeds', `Seed ${design.seeds[repeated]} is listed twice. Each seed may appear once.`);
  return problems;
}

function checkSize(check: Check, network: NetworkName, size: number, path: string, who: string) {
  const min = NETWORKS[network].minInputSize;
  if (size < min) check.add(path, `${who} needs an input of at least ${min} pixels; got ${size}.`);
}

function checkPlanned(check: Check) {
  const { planned } = check.design;
  for (const [i, p] of planned.entries()) {
    checkSize(check, p.network, p.inputSize, `planned.${i}.inputSize`, p.network);
    if (planned.findIndex((other) => other.key === p.key) < i)
      check.add(`planned.${i}.key`, `Two networks to train first are both named "${p.key}". Rename one.`);
    if (p.initialisation) checkPretrained(check, p.initialisation, p.network, `planned.${i}.initialisation`);
  }
}

/** Published weights as a start: of the same network, and for its classes unless the classifier is replaced. */
function checkPretrained(
  { design, context, add }: Check,
  { weights, head }: PretrainedStart,
  network: NetworkName,
  path: string,
) {
  const other = explainOtherNetwork(weights, network);
  if (other !== null) add(path, other);
  if (head === 'keep' && context.classCount !== null && context.classCount !== PUBLISHED_CLASS_COUNT)
    add(
      path,
      `The weights ${weights} know ${PUBLISHED_CLASS_COUNT} classes, but ${design.dataset} has ${context.classCount}. Replace the head: then all but the classifier is taken.`,
    );
}

/** Undefined where a reference leads nowhere. */
export function networkOf(
  { design, context }: Pick<Check, 'design' | 'context'>,
  ref: NetworkRef,
): NetworkName | undefined {
  if (ref.kind === 'pretrained') return KNOWN_WEIGHTS.get(ref.weights)?.network;
  if (ref.kind === 'run') return context.runs.get(ref.runId)?.network;
  return design.planned.find((p) => p.key === ref.key)?.network;
}

function checkRef(check: Check, ref: NetworkRef, path: string, what: string) {
  const { design, context, add } = check;
  if (ref.kind === 'planned') {
    if (networkOf(check, ref) === undefined)
      add(path, `${what} "${ref.key}" is not among the networks to train first. Add it, or choose another.`);
    return;
  }
  if (ref.kind === 'pretrained') {
    if (context.classCount !== null && context.classCount !== PUBLISHED_CLASS_COUNT)
      add(
        path,
        `${what} ${ref.weights} knows ${PUBLISHED_CLASS_COUNT} classes, but ${design.dataset} has ${context.classCount}. Add a network to train first that starts from these weights with the head replaced, and let that teach.`,
      );
    return;
  }
  const run = context.runs.get(ref.runId);
  if (!run) add(path, `${what} ${ref.runId} does not exist. Choose one from the list.`);
  else if (!run.succeeded) add(path, `${what} "${run.label}" has no finished training. Choose a run that succeeded.`);
  else if (context.classCount !== null && run.classCount !== null && run.classCount !== context.classCount)
    add(
      path,
      `${what} "${run.label}" knows ${run.classCount} classes, but ${design.dataset} has ${context.classCount}. Choose one trained on the same classes.`,
    );
}

function checkStart(check: Check) {
  const { initialisation, network } = check.design.student;
  if (initialisation.kind === 'random') return;
  if (initialisation.kind === 'pretrained')
    return checkPretrained(check, initialisation, network, 'student.initialisation');
  checkRef(check, initialisation, 'student.initialisation', 'The start');
  const start = networkOf(check, initialisation);
  if (start !== undefined && start !== network)
    check.add(
      'student.initialisation',
      `The student is a ${network} but its start is a ${start}. Choose weights of the same network.`,
    );
}

function checkEnsemble(check: Check, teachers: readonly NetworkRef[], path: string) {
  for (const ref of teachers) checkRef(check, ref, path, 'Teacher');
  if (findRepeated(teachers, (ref) => ensembleKey([ref])) !== null)
    check.add(path, 'The same teacher is in this ensemble twice.');
}

/** Every network that sees images of a size must cope with it: teachers, too, unless they have a size of their own. */
function checkSizes(check: Check, networks: (NetworkName | undefined)[], size: number, path: string) {
  for (const network of new Set(networks)) if (network !== undefined) checkSize(check, network, size, path, network);
}

function checkFactors(check: Check) {
  const { design, add } = check;
  const { teachers, discriminator, inputSize } = design.factors;
  if (teachers.length === 0) add('factors.teachers', 'Choose at least one ensemble of teachers.');
  if (discriminator.length === 0) add('factors.discriminator', 'Choose the discriminator on, off or both.');
  if (inputSize.length === 0) add('factors.inputSize', 'Choose at least one input size.');

  for (const [i, set] of teachers.entries()) checkEnsemble(check, set, `factors.teachers.${i}`);
  const sameEnsemble = findRepeated(teachers, ensembleKey);
  if (sameEnsemble !== null)
    add(
      `factors.teachers.${sameEnsemble}`,
      'This ensemble is listed twice. The order of its teachers does not matter.',
    );
  const teaching = teachers.flat().map((ref) => networkOf(check, ref));
  const teacherSizes = factorOf(design.factors, 'teacherInputSize');
  const networks = [design.student.network, ...(teacherSizes.includes(null) ? teaching : [])];
  for (const [i, size] of inputSize.entries()) checkSizes(check, networks, size, `factors.inputSize.${i}`);
  for (const [i, size] of teacherSizes.entries())
    if (size !== null) checkSizes(check, teaching, size, `factors.teacherInputSize.${i}`);
  const sameSize = findRepeated(inputSize, String);
  if (sameSize !== null) add(`factors.inputSize.${sameSize}`, `The input size ${inputSize[sameSize]} is listed twice.`);
  const sameSwitch = findRepeated(discriminator, String);
  if (sameSwitch !== null)
    add(
      'factors.discriminator',
      `The discriminator is listed ${discriminatorWord(discriminator[sameSwitch] ?? true)} twice.`,
    );
}

function checkList(check: Check) {
  const { design, levels, add } = check;
  if (levels.length === 0) add('list', 'List at least one variant.');
  for (const [i, l] of levels.entries()) {
    checkEnsemble(check, l.teachers, `list.${i}.teachers`);
    const teaching = l.teachers.map((ref) => networkOf(check, ref));
    checkSizes(check, [design.student.network], l.inputSize, `list.${i}.inputSize`);
    const own = l.teacherInputSize !== undefined;
    checkSizes(check, teaching, teacherSize(l), `list.${i}.${own ? 'teacherInputSize' : 'inputSize'}`);
  }
  const repeated = findRepeated(levels, studentVariantKey);
  if (repeated !== null)
    add(`list.${repeated}`, 'This variant is listed twice. The order of its teachers does not matter.');
}
