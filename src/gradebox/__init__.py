"""The classroom: grades notebooks with nbgrader, and loses no submission.

It knows nbgrader and Jupyter, and nothing of any subject: a course uses it by naming its classes in
`nbgrader_config.py`. Imports point downwards only:

    errors    the named endings that a submission or a run can have
    intake    what was handed in → a notebook that can be graded, with reasons for what had to be mended
    handins   files that anyone may have left → copies that can do no harm
    feedback  a graded notebook → what may be shown of it
    packing   a kernel's messages ↔ JSON that any text survives
    warm      a kernel forked from a process that has imported its modules
    client    kernels that start and end without waiting
    plain     what anyone wrote, with its control characters written out
    protection whether student code runs in a sandbox, asked before any of it runs
    execute   a notebook → its outputs, whatever its code does
    trusted   the instructor's graded cells → their outputs, where no student code ever ran
    sandbox   a kernel's walls, as a command line, and the kernel inside, cold or warm
    split     a notebook → its outputs: the student's cells here, the graded cells there
    marks     graded cells → points, and what waits for a person
    commands  a course's own commands, which make a machine ready
    work      a work order → a result, both plain data, in a throw-away course
    setup     what a worker does once before it grades
    classroom submissions → work orders; results → the gradebook, each once
    release   an instructor's answer cells → forms to fill in
    validate  a student's own notebook → what nbgrader's Validate says first
    check     one's own notebook → points and reasons
    records   the gradebook and the ledger, as plain data
    figures   lines that a graded cell printed → what it measured, as numbers
    charts    numbers of a class → figures
    report    a class → one page
    exporters a class → the files that other systems import
    cli       the commands
"""
