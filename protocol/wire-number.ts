/** JSON has no NaN and no infinities; on the wire and in JSON columns they are these three strings. */
import { z } from 'zod';

export const WireNumber = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);
export type WireNumber = z.infer<typeof WireNumber>;

export const toWireNumber = (x: number): WireNumber => (Number.isFinite(x) ? x : (String(x) as WireNumber));
export const fromWireNumber = (x: WireNumber): number => Number(x);
