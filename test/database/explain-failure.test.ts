import { describe, expect, it } from 'vitest';
import { explainFailure } from '../../server/postgres/explain-failure.ts';

describe('explainFailure', () => {
  it.each([
    ['initdb: error: could not write to file "pg_wal/x": No space left on device', /^The disk is full: .*\/data/],
    ['FATAL:  could not create lock file "postmaster.pid": No space left on device', /^The disk is full/],
    ['FATAL:  data directory "/data" has wrong ownership', /belongs to another user/],
    ["EACCES: permission denied, mkdir '/data'", /belongs to another user or cannot be written/],
    ["EROFS: read-only file system, mkdir '/data'", /cannot be made or written/],
    ['initdb: error: could not look up effective user ID 4711: user does not exist', /needs a named user/],
    ['FATAL:  could not map anonymous shared memory: Cannot allocate memory', /too little memory/],
    ['PANIC:  could not locate a valid checkpoint record at 0/1', /is damaged/],
  ])('%s', (output, sentence) => {
    const fault = explainFailure(output, '/data');
    expect(fault.message).toMatch(sentence);
    expect(fault.message.split('\n')).toHaveLength(1);
  });

  it('repeats the telling line of anything else', () => {
    const output =
      'waiting for server to start....\nFATAL:  unrecognized configuration parameter "x"\npg_ctl: could not start server';
    expect(explainFailure(output, '/data').message).toBe(
      'Postgres did not start in /data: FATAL:  unrecognized configuration parameter "x"',
    );
  });
});
