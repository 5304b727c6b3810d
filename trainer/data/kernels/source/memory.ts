/** Memory that lasts until the next image: blocks one after the other, each of which may be read a little beyond its end. */

/** Vector loads and stores may touch this much more than what they are for. */
const SLACK: usize = 64;
const PAGE: usize = 65536;

let next: usize = 0;

export function forgetAll(): void {
  next = (__heap_base + 63) & ~63;
}

/** Address of `size` bytes, which hold anything; traps where memory cannot grow. */
export function take(size: usize): usize {
  const at = next;
  next = (at + size + SLACK + 63) & ~63;
  const missing = <isize>next - <isize>((<usize>memory.size()) * PAGE);
  if (missing > 0 && memory.grow(<i32>((<usize>missing + PAGE - 1) / PAGE)) < 0) unreachable();
  return at;
}
