// What a cell holds, where the screen is too narrow for the head of the table.

/** For tables in `.stacked`. */
export const NarrowLabel = ({ text }: { text: string }) => <span class="narrow-label">{text} </span>
