import { Button, SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import type { FlowDocument } from '~/api/types';
import { useT } from '~/app/messages';
import type { Translate } from '~/app/messages';
import { useLookup } from '~/features/canvas/catalogue';
import { readDuration } from '~/features/canvas/summary';
import { Values } from '~/ui/Values';
import type { OpenMerge } from '../autosave';
import { useEditor } from '../store';
import { onStage, select } from '../view';
import { isOrder, linkOf, pointerOf, stepOf } from './changes';
import type { Change } from './changes';
import { inTurn, placeOf } from './labels';
import classes from './Merge.module.css';
import { merged } from './merge';
import type { Conflict, Side } from './merge';

/** What both changed, step by step and field by field: mine and theirs side by side, and a choice for each. */
export function MergePanel({ merging }: { merging: OpenMerge }) {
  const t = useT();
  const [choices, setChoices] = useState<Record<string, Side>>({});
  const { conflicts } = merging.found;
  const who = merging.who || t('editor.conflict.somebody');
  const theirs = merging.theirs ?? t('versions.merge.theirs', { who });
  const left = conflicts.filter(({ id }) => choices[id] === undefined).length;
  const chooseAll = (side: Side) => setChoices(Object.fromEntries(conflicts.map(({ id, both }) => [id, side === 'both' && both === null ? 'mine' : side])));
  return (
    <section className={classes.panel} aria-labelledby="merge-title">
      <h2 id="merge-title">{t('versions.merge.title', { count: conflicts.length })}</h2>
      <p>{merging.theirs === undefined ? t('versions.merge.text', { who }) : t('versions.leftover.text')}</p>
      <div className={classes.all}>
        <Button size="xs" onClick={() => chooseAll('mine')}>{t('versions.merge.all_mine')}</Button>
        <Button size="xs" onClick={() => chooseAll('theirs')}>{t('versions.merge.all_theirs')}</Button>
      </div>
      <ol className={classes.list}>
        {conflicts.map((conflict) => (
          <Row key={conflict.id} conflict={conflict} theirs={theirs} merging={merging} choice={choices[conflict.id]} choose={(side) => setChoices({ ...choices, [conflict.id]: side })} />
        ))}
      </ol>
      <Button variant="filled" fullWidth disabled={left > 0} onClick={() => merging.decide(choices)}>{left > 0 ? t('versions.merge.left', { count: left }) : t('versions.merge.done')}</Button>
    </section>
  );
}

interface RowProps {
  conflict: Conflict;
  theirs: string;
  merging: OpenMerge;
  choice: Side | undefined;
  choose: (side: Side) => void;
}

function Row({ conflict, theirs, merging, choice, choose }: RowProps) {
  const t = useT();
  const types = useLookup();
  const document = useEditor((editor) => editor.document);
  const documents = [document, merged(merging.found), merging.found.base];
  const first = conflict.mine.find((one) => conflict.theirs.some((two) => pointerOf(two.path) === pointerOf(one.path))) ?? conflict.mine[0] ?? conflict.theirs[0];
  const place = first ? placeOf(first, documents, types, t) : '';
  const step = first ? stepOf(first) : null;
  const here = step !== null && (step === 'trigger' || document.steps[step] !== undefined);
  const show = () => {
    if (step === null) return;
    select([step]);
    onStage()?.reveal(step);
  };
  const told = (changes: Change[]) => changes.map((one) => <Told key={pointerOf(one.path)} change={one} place={placeOf(one, documents, types, t)} documents={documents} alone={changes.length === 1} t={t} />);
  return (
    <li className={classes.row}>
      <h3>{here ? <button type="button" className={classes.place} onClick={show}>{place}</button> : place}</h3>
      <div className={classes.sides}>
        <div data-chosen={choice === 'mine' || choice === 'both' || undefined}><h4>{t('versions.merge.mine')}</h4>{told(conflict.mine)}</div>
        <div data-chosen={choice === 'theirs' || choice === 'both' || undefined}><h4>{theirs}</h4>{told(conflict.theirs)}</div>
      </div>
      <SegmentedControl
        fullWidth
        size="xs"
        aria-label={t('versions.merge.choose', { place })}
        value={choice ?? ''}
        onChange={(side) => choose(side as Side)}
        data={[
          { value: 'mine', label: t('versions.merge.take_mine') },
          { value: 'theirs', label: t('versions.merge.take_theirs') },
          ...(conflict.both ? [{ value: 'both', label: t('versions.merge.take_both') }] : []),
        ]}
      />
    </li>
  );
}

/** One side of a conflict: a value as it is shown elsewhere, or what became of a step or a link. */
function Told({ change, place, documents, alone, t }: { change: Change; place: string; documents: FlowDocument[]; alone: boolean; t: Translate }) {
  const { before, after } = change;
  const isWhole = linkOf(change) !== null || (change.path[0] === 'steps' && change.path.length === 2);
  const what = after === undefined ? t('versions.removed') : before === undefined ? t('versions.added') : t('versions.changed');
  if (isWhole) return <p>{alone ? what : `${place}: ${what}`}</p>;
  const value = after === undefined ? t('versions.merge.nothing') : isOrder(change) ? inTurn(after, documents) : after;
  return (
    <div className={classes.value}>
      {alone ? null : <span className={classes.field}>{place}</span>}
      {typeof value === 'object' && value !== null ? <Values label={place} value={value} /> : <p className={classes.text}>{typeof value === 'string' ? readDuration(value) : JSON.stringify(value)}</p>}
    </div>
  );
}
