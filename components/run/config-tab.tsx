'use client';
import {
  type EvaluationConfig,
  type Initialisation,
  type LabellingConfig,
  type OptimizerConfig,
  type RunConfig,
  type Schedule,
  type TeacherSource,
  type TrainingConfig,
  teacherId,
} from '@mealtable/protocol/run-config';
import type { RunDetailView } from '@mealtable/protocol/views';
import Link from 'next/link';
import { CopyButton } from '../ui/copy-button';
import { Panel } from '../ui/panel';
import { Fact, Facts } from '../ui/table';
import { methodFacts } from './method-facts';

export function describeSchedule(schedule: Schedule): string {
  if (schedule.kind === 'constant') return 'constant';
  if (schedule.kind === 'cosine')
    return schedule.warmupEpochs > 0 ? `cosine, ${schedule.warmupEpochs} warm-up epochs` : 'cosine';
  const warmup = schedule.warmupEpochs ? `, ${schedule.warmupEpochs} warm-up epochs` : '';
  return `× ${schedule.factor} at epoch ${schedule.dropAtEpochs.join(', ')}${warmup}`;
}

export function ConfigTab({ run }: { run: RunDetailView }) {
  const { config } = run;
  const json = JSON.stringify(config, null, 2);
  return (
    <div className="grid items-start gap-4 *:min-w-0 lg:grid-cols-2">
      <Panel title="Settings">
        <ConfigFacts config={config} />
      </Panel>
      <Panel title="As JSON" actions={<CopyButton text={json} label="Copy the JSON" />}>
        <pre className="overflow-x-auto rounded-lg bg-sunken p-3 text-xs leading-5">{json}</pre>
      </Panel>
    </div>
  );
}

function ConfigFacts({ config }: { config: RunConfig }) {
  if (config.task === 'evaluation') return <EvaluationFacts config={config} />;
  return config.task === 'labelling' ? <LabellingFacts config={config} /> : <TrainingFacts config={config} />;
}

const rgb = (values: readonly number[]) => values.join(', ');

function EvaluationFacts({ config }: { config: EvaluationConfig }) {
  const { source, preprocessing } = config;
  return (
    <Facts>
      <Fact name="Task">Evaluation</Fact>
      <Fact name="Weights">
        {source.kind === 'pretrained' ? (
          source.weights
        ) : (
          <>
            <RunLink id={source.runId} />, checkpoint <span className="num text-xs">{source.checkpointId}</span>
          </>
        )}
      </Fact>
      <Fact name="Dataset">{config.dataset}</Fact>
      <Fact name="Network">{config.network}</Fact>
      <NumberFact name="Input size" value={config.inputSize} unit="px" />
      <NumberFact name="Batch size" value={config.batchSize} />
      <NumberFact name="Crop" value={preprocessing.cropFraction} />
      <Fact name="Resized">{preprocessing.interpolation}</Fact>
      <Fact name="Mean">
        <span className="num">{rgb(preprocessing.mean)}</span>
      </Fact>
      <Fact name="Deviation">
        <span className="num">{rgb(preprocessing.std)}</span>
      </Fact>
      <Fact name="Precision">float32</Fact>
    </Facts>
  );
}

function LabellingFacts({ config }: { config: LabellingConfig }) {
  const { softLabels } = config;
  return (
    <Facts>
      <Fact name="Task">Soft labels for other runs</Fact>
      <Fact name="Dataset">{config.dataset}</Fact>
      <TeachersFact teachers={config.teachers} />
      {config.ensemble === 'mean-logit' && <Fact name="Ensemble">mean of logits</Fact>}
      {config.temperature !== undefined && <NumberFact name="Temperature" value={config.temperature} />}
      <NumberFact name="Input size" value={config.inputSize} unit="px" />
      <NumberFact name="Crops per image" value={softLabels.viewsPerImage} />
      <NumberFact name="Augmentation seed" value={softLabels.augmentationSeed} />
      <Fact name="Kept">
        {softLabels.keep === 'full' ? 'All probabilities' : `The ${softLabels.keep} most probable classes`}
        {softLabels.logits && ' and logits'}
      </Fact>
      <NumberFact name="Batch size" value={config.batchSize} />
      <Fact name="Precision">{config.precision}</Fact>
    </Facts>
  );
}

function TeachersFact({ teachers }: { teachers: readonly TeacherSource[] }) {
  return (
    <Fact name={teachers.length === 1 ? 'Teacher' : 'Teachers'}>
      <ul>
        {teachers.map((teacher) => (
          <li key={teacherId(teacher)}>{teacher.kind === 'run' ? <RunLink id={teacher.runId} /> : teacher.weights}</li>
        ))}
      </ul>
    </Fact>
  );
}

function TrainingFacts({ config }: { config: TrainingConfig }) {
  return (
    <Facts>
      <Fact name="Task">
        {config.task === 'distillation' ? 'Distillation (MEAL V2)' : 'Classification on hard labels'}
      </Fact>
      <Fact name="Dataset">{config.dataset}</Fact>
      <Fact name="Network">{config.network}</Fact>
      <Fact name="Start">
        <Start initialisation={config.initialisation} />
      </Fact>
      {config.task === 'distillation' && (
        <>
          <TeachersFact teachers={config.teachers} />
          <Fact name="Discriminator">{config.discriminator ? 'On' : 'Off'}</Fact>
        </>
      )}
      <NumberFact name="Input size" value={config.inputSize} unit="px" />
      <NumberFact name="Epochs" value={config.epochs} />
      <NumberFact name="Batch size" value={config.batchSize} />
      <NumberFact name="Seed" value={config.seed} />
      <NumberFact name="Learning rate" value={config.optimizer.learningRate} />
      <Fact name="Schedule">{describeSchedule(config.optimizer.schedule)}</Fact>
      <OptimizerFacts optimizer={config.optimizer} />
      {methodFacts(config).map(([name, value]) => (
        <Fact key={name} name={name}>
          <span className="num">{value}</span>
        </Fact>
      ))}
      <Fact name="Precision">{config.precision}</Fact>
    </Facts>
  );
}

function OptimizerFacts({ optimizer }: { optimizer: OptimizerConfig }) {
  const { adamw, momentum, weightDecay, decayedParameters } = optimizer;
  return (
    <>
      {adamw ? (
        <Fact name="Optimiser">
          AdamW, betas <span className="num">{`${adamw.beta1}, ${adamw.beta2}`}</span>, epsilon{' '}
          <span className="num">{adamw.epsilon}</span>
        </Fact>
      ) : (
        <NumberFact name="Momentum" value={momentum} />
      )}
      <NumberFact name="Weight decay" value={weightDecay} />
      {decayedParameters === 'kernels' && <Fact name="Decays">Kernels only</Fact>}
    </>
  );
}

function Start({ initialisation }: { initialisation: Initialisation }) {
  if (initialisation.kind === 'random') return 'Random';
  if (initialisation.kind === 'run') return <RunLink id={initialisation.runId} />;
  return initialisation.head === 'replace' ? `${initialisation.weights}, new classifier` : initialisation.weights;
}

const RunLink = ({ id }: { id: string }) => (
  <Link href={`/runs/${id}`} className="num text-accent text-xs hover:underline">
    {id}
  </Link>
);

const NumberFact = ({ name, value, unit }: { name: string; value: number; unit?: string }) => (
  <Fact name={name}>
    <span className="num">{value}</span>
    {unit && ` ${unit}`}
  </Fact>
);
