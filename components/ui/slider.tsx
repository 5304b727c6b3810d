'use client';
import { Slider as Primitive } from 'radix-ui';

interface SliderProps {
  value: number;
  onChange: (value: number) => void;
  min: number;
  max: number;
  step: number;
  label: string;
}

export function Slider({ value, onChange, min, max, step, label }: SliderProps) {
  return (
    <Primitive.Root
      value={[value]}
      onValueChange={([next]) => onChange(next ?? min)}
      min={min}
      max={max}
      step={step}
      className="relative flex h-8 w-28 touch-none select-none items-center"
    >
      <Primitive.Track className="relative h-1 grow rounded-full bg-line-strong">
        <Primitive.Range className="absolute h-full rounded-full bg-accent" />
      </Primitive.Track>
      <Primitive.Thumb
        aria-label={label}
        className="block size-3.5 rounded-full border-2 border-accent bg-surface shadow-sm transition-transform hover:scale-110"
      />
    </Primitive.Root>
  );
}
