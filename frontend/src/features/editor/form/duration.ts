/** ISO 8601 durations as a person picks them: one number and one unit. */
export const UNITS = ['minutes', 'hours', 'days', 'weeks', 'months', 'seconds'] as const;
export type Unit = (typeof UNITS)[number];

const LETTERS: Record<Unit, [prefix: string, letter: string]> = {
  seconds: ['PT', 'S'], minutes: ['PT', 'M'], hours: ['PT', 'H'], days: ['P', 'D'], weeks: ['P', 'W'], months: ['P', 'M'],
};

export interface Simple {
  amount: number;
  unit: Unit;
}

/** `null` where the text is no duration of one unit. */
export function readDuration(text: string): Simple | null {
  for (const unit of UNITS) {
    const [prefix, letter] = LETTERS[unit];
    const found = new RegExp(`^${prefix}(\\d+)${letter}$`).exec(text.trim());
    if (found) return { amount: Number(found[1]), unit };
  }
  return null;
}

export const writeDuration = ({ amount, unit }: Simple): string => LETTERS[unit].join(String(amount));
