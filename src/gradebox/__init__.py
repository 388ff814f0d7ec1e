"""The classroom: grades notebooks with nbgrader, and loses no submission.

It knows nbgrader and Jupyter, and nothing of any subject: a course uses it by naming its classes in
`nbgrader_config.py`. Imports point downwards only:

    errors    the named endings that a submission or a run can have
    intake    what was handed in → a notebook that can be graded, with reasons for what had to be mended
    handins   files that anyone may have left → copies that can do no harm
    feedback  a graded notebook → what may be shown of it
    execute   a notebook → its outputs, whatever its code does
    packing   a kernel's messages ↔ JSON that any text survives
    client    kernels that start and end without waiting
    trusted   the instructor's graded cells → their outputs, where no student code ever ran
    sandbox   a kernel's walls, as a command line, and the kernel inside
    warm      a kernel forked into them from a process that has imported its modules
    split     a notebook → its outputs: the student's cells here, the graded cells there
    marks     graded cells → points, and what waits for a person
    commands  a course's own commands, which make a machine ready
    setup     what a machine does once before its workers grade
    work      a work order → a result, both plain data, in a throw-away course
    classroom submissions → work orders; results → the gradebook, each once
    check     one's own notebook → points and reasons
    records   the gradebook and the ledger, as plain data
    figures   lines that a graded cell printed → what it measured, as numbers
    charts    numbers of a class → figures
    report    a class → one page
    exporters a class → the files that other systems import
    cli       the commands
"""
