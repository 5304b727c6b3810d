import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { availableBytes, peakMemory } from '../../trainer/train/host-memory.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'memory-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function lay(files: Record<string, string>) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}
const HOST = { 'proc/meminfo': 'MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable:    8000 kB\n' };

describe('memory that is free', () => {
  test('is what the kernel calls available, or what the tightest group around the process leaves', () => {
    lay({ ...HOST, 'proc/self/cgroup': '0::/jobs/one\n' });
    expect(availableBytes(root)).toBe(8_192_000);
    lay({
      'sys/fs/cgroup/jobs/one/memory.max': 'max\n',
      'sys/fs/cgroup/jobs/one/memory.current': '1000000\n',
      'sys/fs/cgroup/jobs/memory.max': '5000000\n',
      'sys/fs/cgroup/jobs/memory.current': '2000000\n',
    });
    expect(availableBytes(root)).toBe(3_000_000);
  });

  test('counts cached files as free', () => {
    lay({
      ...HOST,
      'proc/self/cgroup': '0::/\n',
      'sys/fs/cgroup/memory.max': '5000000',
      'sys/fs/cgroup/memory.current': '4900000',
      'sys/fs/cgroup/memory.stat': 'anon 900000\nfile 4000000\ninactive_file 3000000\nactive_file 1000000\n',
    });
    expect(availableBytes(root)).toBe(4_100_000);
  });

  test('is read from groups of version 1, too', () => {
    lay({
      ...HOST,
      'proc/self/cgroup': '5:cpu:/x\n4:memory:/x\n',
      'sys/fs/cgroup/memory/x/memory.limit_in_bytes': '5000000',
      'sys/fs/cgroup/memory/x/memory.usage_in_bytes': '4000000',
      'sys/fs/cgroup/memory/x/memory.stat': 'inactive_file 7\ntotal_inactive_file 2000000\ntotal_active_file 500000\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '1',
    });
    expect(availableBytes(root)).toBe(3_500_000);
  });

  test('is not known where the system does not say', () => {
    expect(availableBytes(root)).toBeNull();
  });

  test.runIf(process.platform === 'linux')('is known on this machine', () => {
    expect(availableBytes()).toBeGreaterThan(1e6);
    expect(availableBytes()).toBeLessThanOrEqual(totalmem());
  });
});

describe('the most that was taken', () => {
  test('is this process’s on the host', async () => {
    const { 'memory/peak_mb': peak } = await peakMemory('cpu');
    expect(peak! * 1e6).toBeGreaterThanOrEqual(process.memoryUsage.rss() * 0.9);
    expect(peak! * 1e6).toBeLessThan(totalmem());
  });

  test('is what the driver says on GPUs, if it knows this process', async () => {
    const csv = `1, 4000\n${process.pid}, 100\n${process.pid}, 50\n${process.pid}, [N/A]\n`;
    expect(await peakMemory('gpu', async () => csv)).toMatchObject({ 'memory/device_mb': 157.2864 });
    expect(await peakMemory('gpu', async () => '')).not.toHaveProperty('memory/device_mb');
  });
});
