/** Stands for rows that are not drawn. One cell, whatever the columns: which of them show depends on the width. */
export const SpacerRow = ({ height }: { height: number }) =>
  height > 0 ? (
    <tr aria-hidden style={{ height }}>
      <td />
    </tr>
  ) : null;
