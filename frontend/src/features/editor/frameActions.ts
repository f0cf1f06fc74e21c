import type { Translate } from '~/app/messages';
import { TRIGGER } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import type { Point } from '~/features/canvas/graph';
import { BODY, canContain, childrenOf, containerOf, outermost, scopeOfWay, withInside } from '~/features/canvas/nesting';
import { notifyProblem } from '~/ui/notify';
import { move } from './document/document';
import type { Edit } from './document/document';
import { putInto } from './document/inside';
import type { PortRef } from './document/links';
import { framesNow, freeIn, measured, placeAfter, settleFrames } from './document/place';
import { refusalOf } from './document/ports';
import { useEditor } from './store';
import { say, useView } from './view';

const doc = () => useEditor.getState().document;

interface Shared {
  t: Translate;
  types: Lookup;
  titleOf: (id: string) => string;
  apply: (label: string, edit: Edit, merge?: string) => boolean;
  portsOfId: (id: string) => string[];
}

/** What has to do with steps that contain steps: moving in and out, and keeping frames around what is in them. */
export function makeFrameActions({ t, types, titleOf, apply, portsOfId }: Shared) {
  /** An edit after which frames fit around what is in them, and cover nothing else. */
  const fitting = (edit: Edit): Edit => {
    const before = framesNow(doc(), types);
    return (draft) => {
      // A frame's place is its corner as it is drawn, whatever the document says.
      for (const [id, box] of before) if (draft.layout?.[id]) draft.layout[id] = [box.x, box.y];
      edit(draft);
      settleFrames(draft, types, before);
    };
  };

  /** What is pasted goes beside what is selected, or into it where it is one container. */
  const scopeOfSelection = (): string | null => {
    const { selected } = useView.getState();
    const [only] = selected;
    if (only === undefined || only === TRIGGER || !doc().steps[only]) return null;
    return selected.length === 1 && canContain(doc(), only, types) ? only : containerOf(doc(), only);
  };

  /** Why a link was not drawn, for the eye and the ear. */
  const refuse = (way: PortRef, to: string): boolean => {
    const why = refusalOf(doc(), way, to, types);
    if (why === null) return false;
    const frame = (scope: string | null) => (scope === null ? t('editor.frame.top') : t('editor.frame.named', { title: titleOf(scope) }));
    const scopes = { from: frame(scopeOfWay(doc(), way.from, way.port, types)), to: frame(containerOf(doc(), to)) };
    const text = why === 'undoes' ? t('editor.connect.undoes', { to: titleOf(to), from: titleOf(way.from) }) : t('editor.connect.across', { ...scopes, title: titleOf(to) });
    notifyProblem(text);
    say(text);
    return true;
  };

  const putLabel = (ids: string[], into: string | null) => {
    const frame = into === null ? undefined : titleOf(into);
    const [one] = ids;
    if (ids.length === 1 && one !== undefined) return frame === undefined ? t('editor.edit.put_out', { title: titleOf(one) }) : t('editor.edit.put_into', { title: titleOf(one), frame });
    return frame === undefined ? t('editor.edit.put_out_many', { count: ids.length }) : t('editor.edit.put_into_many', { count: ids.length, frame });
  };

  /** Move steps into a container or (`null`) to the top, to these places or to free ones there. */
  const put = (ids: string[], into: string | null, to?: Record<string, Point>): boolean => {
    const moving = outermost(doc(), ids.filter((id) => doc().steps[id] && id !== into && !withInside(doc(), [id]).includes(into ?? '')));
    const changing = moving.filter((id) => containerOf(doc(), id) !== into);
    if (changing.length === 0) return to ? apply(t('editor.edit.move_many', { count: Object.keys(to).length }), fitting(move(to))) : false;
    const places: Record<string, Point> = to ?? {};
    const box = measured(doc(), types);
    let wish: Point | undefined;
    if (!to) {
      for (const id of changing) {
        const inside = childrenOf(doc()).get(into) ?? [];
        const last = inside.map(box).sort((a, b) => b.x + b.width - a.x - a.width)[0];
        wish ??= into === null ? [box(id).x, bottomOf(box, containerOf(doc(), id))] : last ? [last.x + last.width + 96, last.y] : placeAfter(doc(), { from: into, port: BODY }, types);
        places[id] = freeIn(doc(), into, types, wish, canContain(doc(), id, types));
        wish = [wish[0] + box(id).width + 96, wish[1]];
      }
    }
    return apply(putLabel(changing, into), fitting((draft) => { move(places)(draft); putInto(changing, into, portsOfId)(draft); }));
  };

  return { fitting, refuse, put, scopeOfSelection };
}

/** Below the container that a step leaves, or below nothing. */
const bottomOf = (box: ReturnType<typeof measured>, id: string | null): number => (id === null ? 0 : box(id).y + box(id).height + 48);
