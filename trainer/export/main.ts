/**
 * The converter: one job on its input, one answer on its output. The hub runs it beside itself, because weights of hundreds of
 * megabytes are no work for the thread that answers everybody.
 */
import { text } from 'node:stream/consumers';
import { type ExportAnswer, ExportJob } from '@mealtable/protocol/exports';
import { convertModel } from './convert.ts';

const answer: ExportAnswer = await convertModel(ExportJob.parse(JSON.parse(await text(process.stdin))));
process.stdout.write(`${JSON.stringify(answer)}\n`);
