/**
 * Which weights a teacher has: a small file for each, beside the sets, named by the run's id or the published weights' name. A key
 * holds hashes, which only a trainer can compute; with the notes an agent can say whose labels a set holds without reading weights.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { LabelKey } from './key.ts';

const FOLDER = 'teachers';
const ENDING = '.json';

/** What of a key names one teacher, its share aside. */
const TeacherNote = LabelKey.shape.teachers.element.omit({ share: true });
export type TeacherNote = z.infer<typeof TeacherNote>;

/**
 * Notes whose weights these are, unless that is noted already.
 * @param folder of all keys' labels @param id of the teacher: its run's, or the name of published weights
 * @throws file errors (ENOSPC, EACCES)
 */
export function noteTeacher(folder: string, id: string, note: TeacherNote): void {
  if (isDeepStrictEqual(readNote(folder, id + ENDING), note)) return;
  const own = join(folder, FOLDER);
  mkdirSync(own, { recursive: true });
  const temp = join(own, `${id}.${process.pid}.tmp`);
  const fd = openSync(temp, 'w');
  try {
    writeFileSync(fd, JSON.stringify(note));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temp, join(own, id + ENDING));
}

/** All teachers that were noted, by id. */
export function readTeacherNotes(folder: string): Map<string, TeacherNote> {
  const notes = new Map<string, TeacherNote>();
  for (const name of listNotes(folder)) {
    const note = readNote(folder, name);
    if (note !== null) notes.set(name.slice(0, -ENDING.length), note);
  }
  return notes;
}

function listNotes(folder: string): string[] {
  try {
    return readdirSync(join(folder, FOLDER)).filter((name) => name.endsWith(ENDING));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Null where there is none, or none that this version understands. */
function readNote(folder: string, name: string): TeacherNote | null {
  try {
    return TeacherNote.safeParse(JSON.parse(readFileSync(join(folder, FOLDER, name), 'utf8'))).data ?? null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}
