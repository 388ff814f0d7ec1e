"""The classroom: grades notebooks with nbgrader, and loses no submission.

It knows nbgrader and Jupyter, and nothing of any subject: a course uses it by naming its classes in
`nbgrader_config.py`. Imports point downwards only:

    errors    the named endings that a submission or a run can have
    intake    what was handed in → a notebook that can be graded, with reasons for what had to be mended
    handins   files that anyone may have left → copies that can do no harm
    feedback  a graded notebook → what may be shown of it
    execute   a notebook → its outputs, whatever its code does
    trusted   the instructor's graded cells → their outputs, where no student code ever ran
    split     a notebook → its outputs: the student's cells here, the graded cells there
"""
