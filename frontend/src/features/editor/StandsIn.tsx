import { Select } from '@mantine/core';
import { useT } from '~/app/messages';
import { useLookup } from '~/features/canvas/catalogue';
import { canContain, containerOf, insideOf } from '~/features/canvas/nesting';
import { useActions } from './actions';
import { useEditor } from './store';

const TOP = '';

/** The frame in which a step stands, where the flow has any: moving it without the pointer. */
export function StandsIn({ id }: { id: string }) {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const document = useEditor((editor) => editor.document);
  const readOnly = useEditor((editor) => editor.readOnly);
  const own = insideOf(document, [id]);
  const frames = Object.keys(document.steps).filter((one) => one !== id && canContain(document, one, types) && !own.includes(one));
  const around = containerOf(document, id);
  if (frames.length === 0) return null;
  return (
    <Select
      mt={12}
      label={t('editor.stands_in')}
      disabled={readOnly}
      allowDeselect={false}
      data={[{ value: TOP, label: t('editor.stands_in.top') }, ...frames.map((one) => ({ value: one, label: actions.titleOf(one) }))]}
      value={around ?? TOP}
      onChange={(next) => actions.put([id], next === null || next === TOP ? null : next)}
    />
  );
}
