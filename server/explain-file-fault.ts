/** What a file error at the start means for the person who started the hub. */
import { StartupFault } from './startup-fault.ts';

const OTHER_FOLDER = 'or set MEALTABLE_DATA to another folder';

/** @returns one sentence for the known file errors of the data folder; any other error as it is */
export function explainFileFault(error: unknown, dataDir: string): unknown {
  if (!(error instanceof Error) || error instanceof StartupFault) return error;
  const { code, path } = error as NodeJS.ErrnoException;
  // A full disk is told by a write, which knows no path.
  if (path !== undefined && !path.startsWith(dataDir)) return error;
  const sentence = describe(code, dataDir);
  return sentence === null ? error : new StartupFault(`${sentence} (${error.message})`, { cause: error });
}

function describe(code: string | undefined, dataDir: string): string | null {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `The disk is full: ${dataDir} needs space. Free some and start again; nothing is lost.`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `The data folder ${dataDir} cannot be written. Start as the user who made it, ${OTHER_FOLDER}.`;
    case 'EEXIST':
    case 'ENOTDIR':
    case 'EISDIR':
      return `In the data folder ${dataDir} a file and a folder have each other's place. Move it away, ${OTHER_FOLDER}.`;
    default:
      return null;
  }
}
