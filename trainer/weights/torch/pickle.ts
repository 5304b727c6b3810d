/**
 * Reads pickles without running anything in them: a stack machine for the opcodes that plain data needs. Whatever would call
 * into Python is given to `PickleRules`, which knows a few names and refuses all others.
 * Opcodes: https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */

/** What a pickle may name, and what then comes of it. Each throws an Error to refuse. */
export interface PickleRules {
  /** `module.name`, a class or function. */
  global(qualified: string): unknown;
  /** A call of what `global` gave. */
  call(callable: unknown, args: readonly unknown[]): unknown;
  /** An object that the pickle only refers to. */
  persistent(id: unknown): unknown;
  /** `object.__setstate__(state)`, or its attributes. */
  setState(object: unknown, state: unknown): void;
}

/** Far more than the largest network's weights take; bounds what a pickle of small opcodes can grow to in memory. */
const MAX_OPERATIONS = 1_000_000;
const MARK = Symbol('mark');

/** The pickle ended in the middle: more of the file may be needed. */
export class PickleCutShort extends Error {
  constructor() {
    super('its pickle ends too early');
  }
}

/**
 * Lists and tuples become arrays, dicts Maps, None null, integers that are too large bigints.
 * @returns the value and where the pickle ends @throws {Error} saying what of it cannot be read
 */
export function unpickle(bytes: Buffer, begin: number, rules: PickleRules): { value: unknown; end: number } {
  return new Unpickler(bytes, begin, rules).run();
}

class Unpickler {
  readonly #bytes: Buffer;
  readonly #rules: PickleRules;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  #at: number;

  constructor(bytes: Buffer, begin: number, rules: PickleRules) {
    this.#bytes = bytes;
    this.#rules = rules;
    this.#at = begin;
  }

  run(): { value: unknown; end: number } {
    for (let operations = 0; ; operations++) {
      if (operations === MAX_OPERATIONS) throw new Error(`its pickle takes more than ${MAX_OPERATIONS} operations`);
      const opcode = this.#take(1)[0]!;
      if (opcode === 0x2e) return { value: this.#pop(), end: this.#at };
      this.#step(opcode);
    }
  }

  #step(opcode: number): void {
    const operation = OPERATIONS[opcode];
    if (operation === undefined) {
      const shown = opcode > 32 && opcode < 127 ? `'${String.fromCharCode(opcode)}'` : `0x${opcode.toString(16)}`;
      throw new Error(`its pickle asks for operation ${shown}, which plain weights do not need`);
    }
    operation(this.#machine);
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new PickleCutShort();
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  #takeLine(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end === -1) throw new PickleCutShort();
    const line = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return line;
  }

  #pop(): unknown {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) throw new Error('its pickle takes more from the stack than there is');
    return value;
  }

  #popToMark(): unknown[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at === -1) throw new Error('its pickle closes what it did not open');
    const items = this.#stack.splice(at);
    items.shift();
    return items;
  }

  readonly #machine: Machine = {
    take: (length) => this.#take(length),
    takeLine: () => this.#takeLine(),
    push: (value) => void this.#stack.push(value),
    pop: () => this.#pop(),
    popToMark: () => this.#popToMark(),
    peek: () => {
      const value = this.#pop();
      this.#stack.push(value);
      return value;
    },
    mark: () => void this.#stack.push(MARK),
    store: (index, value) => void this.#memo.set(index ?? this.#memo.size, value),
    recall: (index) => {
      if (!this.#memo.has(index)) throw new Error('its pickle refers to something that is not there');
      return this.#memo.get(index);
    },
    rules: () => this.#rules,
  };
}

interface Machine {
  take(length: number): Buffer;
  takeLine(): string;
  push(value: unknown): void;
  pop(): unknown;
  popToMark(): unknown[];
  peek(): unknown;
  mark(): void;
  store(index: number | null, value: unknown): void;
  recall(index: number): unknown;
  rules(): PickleRules;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const textOf = (bytes: Buffer): string => {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Error('its pickle holds text that is not UTF-8');
  }
};
const sized = (m: Machine, lengthBytes: 1 | 4 | 8): Buffer => {
  const length = m.take(lengthBytes);
  return m.take(lengthBytes === 8 ? Number(length.readBigUInt64LE()) : length.readUIntLE(0, lengthBytes));
};

/** Little-endian two's complement of any length up to 8 bytes. */
function longOf(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0;
  if (bytes.length > 10) throw new Error(`its pickle holds an integer of ${bytes.length} bytes`);
  const value = BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`));
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function setItems(m: Machine, items: unknown[]): void {
  const dict = m.peek();
  if (!(dict instanceof Map) || items.length % 2 !== 0) throw new Error('its pickle sets items of what is no dict');
  for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
}

function append(m: Machine, items: unknown[]): void {
  const list = m.peek();
  if (!Array.isArray(list)) throw new Error('its pickle appends to what is no list');
  for (const item of items) list.push(item);
}

function dictOf(items: unknown[]): Map<unknown, unknown> {
  if (items.length % 2 !== 0) throw new Error('its pickle makes a dict of an odd number of things');
  return new Map(Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i], items[2 * i + 1]] as const));
}

const tupleOf = (m: Machine, length: number): void => {
  const items = Array.from({ length }, () => m.pop());
  m.push(items.reverse());
};

function pushGlobal(m: Machine, module: unknown, name: unknown): void {
  // Turning anything else into text could take forever: a list that holds another twice, which holds another twice.
  if (typeof module !== 'string' || typeof name !== 'string')
    throw new Error('its pickle names something without text');
  m.push(m.rules().global(`${module}.${name}`));
}

function callTop(m: Machine): void {
  const args = m.pop();
  const callable = m.pop();
  if (!Array.isArray(args)) throw new Error('its pickle calls something without a tuple of arguments');
  m.push(m.rules().call(callable, args));
}

const OPERATIONS: { [opcode: number]: ((m: Machine) => void) | undefined } = {
  128: (m) => void m.take(1), // PROTO
  149: (m) => void m.take(8), // FRAME
  40: (m) => m.mark(), // MARK
  48: (m) => void m.pop(), // POP
  49: (m) => void m.popToMark(), // POP_MARK
  50: (m) => m.push(m.peek()), // DUP
  78: (m) => m.push(null), // NONE
  136: (m) => m.push(true), // NEWTRUE
  137: (m) => m.push(false), // NEWFALSE
  74: (m) => m.push(m.take(4).readInt32LE()), // BININT
  75: (m) => m.push(m.take(1)[0]), // BININT1
  77: (m) => m.push(m.take(2).readUInt16LE()), // BININT2
  138: (m) => m.push(longOf(sized(m, 1))), // LONG1
  71: (m) => m.push(m.take(8).readDoubleBE()), // BINFLOAT
  88: (m) => m.push(textOf(sized(m, 4))), // BINUNICODE
  140: (m) => m.push(textOf(sized(m, 1))), // SHORT_BINUNICODE
  141: (m) => m.push(textOf(sized(m, 8))), // BINUNICODE8
  84: (m) => m.push(textOf(sized(m, 4))), // BINSTRING, Python 2's text
  85: (m) => m.push(textOf(sized(m, 1))), // SHORT_BINSTRING
  66: (m) => m.push(sized(m, 4)), // BINBYTES
  67: (m) => m.push(sized(m, 1)), // SHORT_BINBYTES
  41: (m) => m.push([]), // EMPTY_TUPLE
  116: (m) => m.push(m.popToMark()), // TUPLE
  133: (m) => tupleOf(m, 1), // TUPLE1
  134: (m) => tupleOf(m, 2), // TUPLE2
  135: (m) => tupleOf(m, 3), // TUPLE3
  93: (m) => m.push([]), // EMPTY_LIST
  108: (m) => m.push(m.popToMark()), // LIST
  97: (m) => append(m, [m.pop()]), // APPEND
  101: (m) => append(m, m.popToMark()), // APPENDS
  125: (m) => m.push(new Map()), // EMPTY_DICT
  100: (m) => m.push(dictOf(m.popToMark())), // DICT
  115: (m) => setItems(m, [m.pop(), m.pop()].reverse()), // SETITEM
  117: (m) => setItems(m, m.popToMark()), // SETITEMS
  113: (m) => m.store(m.take(1)[0]!, m.peek()), // BINPUT
  114: (m) => m.store(m.take(4).readUInt32LE(), m.peek()), // LONG_BINPUT
  148: (m) => m.store(null, m.peek()), // MEMOIZE
  104: (m) => m.push(m.recall(m.take(1)[0]!)), // BINGET
  106: (m) => m.push(m.recall(m.take(4).readUInt32LE())), // LONG_BINGET
  99: (m) => pushGlobal(m, m.takeLine(), m.takeLine()), // GLOBAL
  // The name lies on top of its module.
  147: (m) => pushGlobal(m, ...([m.pop(), m.pop()].reverse() as [unknown, unknown])), // STACK_GLOBAL
  82: (m) => callTop(m), // REDUCE
  129: (m) => callTop(m), // NEWOBJ
  81: (m) => m.push(m.rules().persistent(m.pop())), // BINPERSID
  // BUILD
  98: (m) => {
    const state = m.pop();
    m.rules().setState(m.peek(), state);
  },
};
