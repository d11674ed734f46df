// Figures as people read them.

/** To one digit after the point. */
export const round = (value: number): number => Math.round(value * 10) / 10

/** 0 to 100, to one digit; 0 of nothing. */
export const percent = (part: number, whole: number): number =>
  whole > 0 ? round(Math.min(100, Math.max(0, (100 * part) / whole))) : 0
