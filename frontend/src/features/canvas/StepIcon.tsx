import icons from 'virtual:step-icons';
import { IconPuzzle } from '~/ui/icons';
import type { Category } from '~/ui/tokens';
import classes from './StepIcon.module.css';

/** The icon of a step type on its tinted tile; a name that was not built in falls back to a puzzle piece. `isBare`: only the tile. */
export function StepIcon({ icon, tint, size = 32, isBare = false }: { icon: string | undefined; tint: Category; size?: 20 | 24 | 32; isBare?: boolean }) {
  const Glyph = (icon ? icons[icon] : undefined) ?? IconPuzzle;
  return (
    <span className={classes.tile} data-tint={tint} data-size={size}>
      {isBare ? null : <Glyph size={size >= 32 ? 20 : 16} aria-hidden />}
    </span>
  );
}
