import { useLookup, tintOf } from '~/features/canvas/catalogue';
import { StepCard } from '~/features/canvas/StepCard';
import { useView } from '../view';
import classes from './EditorCanvas.module.css';

/** The card under the pointer while a step type is carried. */
export function Carried() {
  const types = useLookup();
  const carried = useView((view) => view.carried);
  const type = carried && types.step(carried.kind, carried.version);
  if (!carried || !type) return null;
  return (
    <div className={classes.ghost} style={{ left: carried.x - 112, top: carried.y - 32 }} aria-hidden>
      <StepCard title={type.title} summary="" icon={type.icon} tint={tintOf(type)} outward={type.outward} />
    </div>
  );
}
