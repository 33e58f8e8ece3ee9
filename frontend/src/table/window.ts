/** Which rows of a long table are drawn: those in view and some around them. Pure. */

export const ROW_HEIGHT = 32;
/** Rows drawn above and below the view, so that scrolling never shows a gap. */
const AROUND = 16;
/** Short tables are drawn whole. */
const WHOLE_UNTIL = 100;
/** The view is taken in steps of so many rows: not every pixel of scrolling is worth drawing. */
const STEP = 8;

export interface RowWindow {
  first: number;
  /** The row after the last one drawn. */
  end: number;
}

/** `above`: how much of the table's body lies above the view, in px; `height` of the view. */
export function rowWindow(count: number, above: number, height: number): RowWindow {
  if (count <= WHOLE_UNTIL) return { first: 0, end: count };
  const step = (row: number, round: (value: number) => number) => round(row / STEP) * STEP;
  const first = step(above / ROW_HEIGHT - AROUND, Math.floor);
  const end = step((above + height) / ROW_HEIGHT + AROUND, Math.ceil);
  return { first: Math.max(0, Math.min(first, count - 1)), end: Math.max(1, Math.min(count, end)) };
}
