import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useMe } from '~/api/me';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { ErrorState, ListSkeleton } from '~/ui/States';
import type { ChangeGroup, Comparison, useComparison } from '../compare/api';
import { Changes, Risks } from '../compare/Changes';
import { select, onStage } from '../view';
import classes from './Header.module.css';

interface Choice {
  /** Where not everything is to be published: what is, and to which version. */
  part: { changes: string[]; base: number | null } | null;
  left: number;
  isEmpty: boolean;
  /** `undefined` where there is nothing to choose among. */
  chosen: ReadonlySet<string> | undefined;
  choose: (id: string, chosen: boolean) => void;
  chooseAll: (groups: ChangeGroup[], chosen: boolean) => void;
}

/**
 * What is ticked. One's own changes are from the start; those that others had a hand in are only
 * published when somebody has ticked them. A first version is always the whole draft.
 */
export function useChoice(comparison: Comparison | undefined): Choice {
  const me = useMe();
  const [ticked, setTicked] = useState<Record<string, boolean>>({});
  const groups = comparison?.groups ?? [];
  const isFirst = comparison?.before.what !== 'version';
  const isOwn = (group: ChangeGroup) => group.authors.every(({ id }) => id === me.id);
  const chosen = groups.filter((group) => ticked[group.id] ?? isOwn(group)).map(({ id }) => id);
  const isWhole = isFirst || chosen.length === groups.length;
  return {
    part: isWhole ? null : { changes: chosen, base: comparison?.before.number ?? null },
    left: groups.length - chosen.length,
    isEmpty: !isWhole && chosen.length === 0,
    chosen: isFirst || groups.length === 0 ? undefined : new Set(chosen),
    choose: (id, is) => setTicked((before) => ({ ...before, [id]: is })),
    chooseAll: (all, is) => setTicked((before) => ({ ...before, ...Object.fromEntries(all.map(({ id }) => [id, is])) })),
  };
}

/** What the draft has that the active version has not, in words, with every author and notes on risk. */
export function WhatChanged({ flow, found, choice }: { flow: Flow; found: ReturnType<typeof useComparison>; choice: Choice }) {
  const t = useT();
  const me = useMe();
  if (found.error) return <ErrorState bare error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <ListSkeleton rows={3} />;
  const { groups, notes, authors, same, before } = found.data;
  const others = authors.filter(({ id }) => id !== me.id);
  const show = (step: string) => {
    select([step]);
    onStage()?.reveal(step);
  };
  return (
    <>
      {notes.length > 0 ? <h3>{t('versions.risks')}</h3> : null}
      <Risks notes={notes} />
      <h3>{before.what === 'version' ? t('versions.since', { count: groups.length }) : t('versions.first_has')}</h3>
      {authors.length > 0 ? <p>{t('versions.by', { people: authors.map((one) => one.name || one.email).join(', ') })}</p> : null}
      {others.length > 0 && choice.chosen ? <p>{t('versions.others_text')}</p> : null}
      {choice.chosen && groups.length > 1 ? (
        <div className={classes.choose}>
          <Button size="xs" onClick={() => choice.chooseAll(groups, true)}>{t('versions.choose_all')}</Button>
          <Button size="xs" onClick={() => choice.chooseAll(groups, false)}>{t('versions.choose_none')}</Button>
          <Button size="xs" component={Link} to={`/flows/${flow.id}/compare/`}>{t('versions.on_canvas')}</Button>
        </div>
      ) : null}
      {same && groups.length === 0 ? <p>{t('versions.same')}</p> : <Changes groups={groups} onShow={show} {...(choice.chosen ? { chosen: choice.chosen, onChoose: choice.choose } : {})} />}
    </>
  );
}
