/** Processor time of processes, from /proc (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of /proc in a second, on every Linux that Node runs on. */
const TICKS = 100;

/** proc(5): the parent is field 4, utime to cstime 14 to 17; what follows the program's name in brackets begins with the third. */
function readStat(pid: number | string): { parent: number; seconds: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    return { parent: fields[1]!, seconds: fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0) / TICKS };
  } catch {
    return null; // ended meanwhile
  }
}

/** Of the process and its children, those that have ended too. */
export function cpuSecondsOf(pid: number): number {
  const own = readStat(pid)?.seconds ?? 0;
  return readdirSync('/proc').reduce((sum, name) => {
    const stat = /^\d+$/.test(name) ? readStat(name) : null;
    return stat?.parent === pid ? sum + stat.seconds : sum;
  }, own);
}
