import type { Task } from '~/api/types';
import { useT } from '~/app/messages';
import { ProblemText } from '~/ui/ProblemText';
import { SchemaForm } from '~/ui/schemaForm/SchemaForm';
import { DRAFT_SAID } from '~/ui/schemaForm/useDraft';
import classes from './TaskPane.module.css';
import type { Filled } from './useFilled';

/** The questions to answer beside a decision, or instead of one. */
export function TaskForm({ task, filled }: { task: Task; filled: Filled }) {
  const t = useT();
  const needing = task.answers.filter((one) => task.form?.needed_for.includes(one.outcome)).map((one) => one.label);
  return (
    <section aria-labelledby="task-form" data-task-form className={classes.fill}>
      <h3 className={classes.heading} id="task-form">{t('inbox.form')}</h3>
      {task.answers.length > 1 ? <p className={classes.plain}>{t('inbox.form_for', { answers: needing.join(', ') })}</p> : null}
      <SchemaForm schema={filled.schema} value={filled.value} faults={filled.faults} onChange={filled.change} onSubmit={() => undefined}>
        <ProblemText error={filled.draft.problem} />
        <p className={classes.none} role="status">{t(DRAFT_SAID[filled.draft.status])}</p>
      </SchemaForm>
    </section>
  );
}
