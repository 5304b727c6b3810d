/** Tables of 32-bit numbers, by address. */

@inline
export function get(table: usize, index: i32): i32 {
  return load<i32>(table + (<usize>index << 2));
}

@inline
export function set(table: usize, index: i32, value: i32): void {
  store<i32>(table + (<usize>index << 2), value);
}

/** Sixteen bits as JPEG writes them. */
@inline
export function word(at: usize): i32 {
  return <i32>bswap(load<u16>(at));
}
