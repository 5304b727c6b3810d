/** What a JPEG file says of itself before its pixels. */

const MARKER = 0xff;
const START_OF_SCAN = 0xda;

/** Colour components of a JPEG file: 1 grey, 3 colour, 4 CMYK. Null for any other file and for one that does not say. */
export function jpegComponents(file: Uint8Array): number | null {
  if (file[0] !== MARKER || file[1] !== 0xd8) return null;
  for (let at = 2; at + 9 < file.length; ) {
    if (file[at] !== MARKER) return null;
    const kind = file[at + 1]!;
    if (kind === MARKER) {
      at++;
      continue;
    }
    // Frame headers are C0 to CF, except the tables C4, CC and the reserved C8.
    if (kind >= 0xc0 && kind <= 0xcf && kind !== 0xc4 && kind !== 0xc8 && kind !== 0xcc) return file[at + 9]!;
    if (kind === START_OF_SCAN) return null;
    at += 2 + file[at + 2]! * 256 + file[at + 3]!;
  }
  return null;
}
