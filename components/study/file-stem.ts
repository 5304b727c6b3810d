/** A study's name as a part of a file's: nothing in it leads to another folder or looks like an extension. */
export function fileStem(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .toLowerCase();
  return plain.slice(0, 60).replace(/-+$/, '') || 'study';
}
