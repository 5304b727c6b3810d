/** Saved views: who may keep them, and what they are afterwards. */
import { MAX_SAVED_VIEWS } from '@mealtable/protocol/saved-views';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCaller } from '../../server/api/root.ts';
import { createStudy } from '../../server/studies/create.ts';
import { addHost, smallDesign } from '../support/core.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';

let hub: TestHub;
let studyId: string;
let other: string;
beforeAll(async () => {
  hub = await startTestHub();
  await addHost(hub.hub);
  const create = (name: string) => createStudy(hub.hub, { name, notes: '', design: smallDesign(), createdById: null });
  [studyId, other] = [await create('a'), await create('b')];
});
afterAll(() => hub.close());

const as = async (role: 'editor' | 'viewer') => {
  const { id, email } = await hub.addMember(role);
  return createCaller({ ...hub.hub, member: { id, email, name: `The ${role}`, role } } as never).savedViews;
};
const chartsOf = (id: string) => ({ studyId: id, kind: 'charts' as const });

describe('a saved view', () => {
  it('is opened by everybody, replaced by its name, and belongs to one study', async () => {
    const [editor, viewer] = [await as('editor'), await as('viewer')];
    const { id } = await editor.save({ ...chartsOf(studyId), name: ' Losses, log ', state: 'c.log=1' });
    const again = await editor.save({ ...chartsOf(studyId), name: 'Losses, log', state: 'c.log=1&c.x=step' });
    expect(again.id).toBe(id);
    expect(await viewer.list(chartsOf(studyId))).toMatchObject([
      { id, name: 'Losses, log', state: 'c.log=1&c.x=step', createdBy: 'The editor' },
    ]);
    expect(await viewer.list(chartsOf(other))).toEqual([]);
    await editor.remove({ studyId: other, id });
    expect(await viewer.list(chartsOf(studyId))).toHaveLength(1);
    await editor.remove({ studyId, id });
    expect(await viewer.list(chartsOf(studyId))).toEqual([]);
  });

  it('is neither saved nor deleted by viewers', async () => {
    const viewer = await as('viewer');
    await expect(viewer.save({ ...chartsOf(studyId), name: 'x', state: '' })).rejects.toThrow('role editor');
    await expect(viewer.remove({ studyId, id: hub.hub.ids('view') })).rejects.toThrow('role editor');
  });

  it('needs a study and room beside the others', async () => {
    const editor = await as('editor');
    await expect(editor.save({ ...chartsOf(hub.hub.ids('study')), name: 'x', state: '' })).rejects.toThrow('no study');
    for (let i = 0; i < MAX_SAVED_VIEWS; i++) await editor.save({ ...chartsOf(other), name: `view ${i}`, state: '' });
    await expect(editor.save({ ...chartsOf(other), name: 'one more', state: '' })).rejects.toThrow('Delete one first');
    await editor.save({ ...chartsOf(other), name: 'view 1', state: 'c.x=step' });
  });
});
