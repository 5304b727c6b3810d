/** Launchers from the hub's config file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readHubConfig } from '../../server/launchers/config-file.ts';
import { startTestHub } from '../support/hub.ts';
import { callerAs } from './support.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'mealtable-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = path.join(folder, 'hub.json');
const write = (content: unknown) =>
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
const lab = { name: 'lab', settings: { kind: 'ssh', ssh: { destination: 'lab.example.org' } } };

describe('the config file', () => {
  it('is not needed, unless one was named', () => {
    expect(readHubConfig({ configFile: null, dataDir: folder })).toEqual({ launchers: [], problems: [] });
    const missing = path.join(folder, 'none.json');
    expect(readHubConfig({ configFile: missing, dataDir: folder }).problems).toEqual([
      `The config file ${missing} is not there.`,
    ]);
  });

  it('names what cannot be used by its field, and the rest is taken', () => {
    write({
      launchers: [
        lab,
        { name: 'Not A Name', settings: lab.settings },
        { name: 'b', settings: { kind: 'slurm', batch: { timeLimit: 'soon' } } },
        lab,
      ],
    });
    const { launchers, problems } = readHubConfig({ configFile: file, dataDir: folder });
    expect(launchers.map(({ name }) => name)).toEqual(['lab']);
    expect(problems).toEqual([
      expect.stringMatching(/hub\.json, launchers\.1\.name: A name is 1-40 lower-case letters/),
      expect.stringMatching(/hub\.json, launchers\.2\.settings\.batch\.timeLimit: A time limit is/),
      expect.stringMatching(/hub\.json, launchers\.3\.name: "lab" is there twice/),
    ]);
    write('{');
    expect(readHubConfig({ configFile: file, dataDir: folder }).problems[0]).toMatch(/cannot be read as JSON/);
  });

  it('is as the documentation shows it', () => {
    const text = readFileSync(path.resolve(import.meta.dirname, '../../docs/hosts.md'), 'utf8');
    write(/```json\n([\s\S]*?)```/.exec(text)![1]!);
    const { launchers, problems } = readHubConfig({ configFile: file, dataDir: folder });
    expect(problems).toEqual([]);
    expect(launchers.map(({ settings }) => settings.kind)).toEqual(['ssh', 'slurm']);
  });

  it('adds its launchers at every start, which only it can change, until they have left it', async () => {
    write({ launchers: [lab, 'nonsense'] });
    const test = await startTestHub({ env: { configFile: file } });
    try {
      const api = await callerAs(test, 'owner');
      const { launchers, configProblems } = await api().launchers.list();
      expect(launchers).toMatchObject([{ name: 'lab', kind: 'ssh', fromConfig: true }]);
      expect(configProblems).toEqual([expect.stringContaining('launchers.1')]);
      const { id } = launchers[0]!;
      await expect(api().launchers.remove({ id })).rejects.toThrow('from the hub’s config file'.replace('’', "'"));
      write({ launchers: [{ ...lab, settings: { ...lab.settings, slots: 3 } }] });
      await test.restart();
      expect((await api().launchers.list()).launchers).toMatchObject([{ id, settings: { slots: 3 } }]);
      write({ launchers: [] });
      await test.restart();
      expect((await api().launchers.list()).launchers).toMatchObject([{ id, fromConfig: false }]);
      await api().launchers.remove({ id });
    } finally {
      await test.close();
    }
  }, 120_000);
});
