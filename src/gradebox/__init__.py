"""The classroom: grades notebooks with nbgrader, and loses no submission.

It knows nbgrader and Jupyter, and nothing of any subject: a course uses it by naming its classes in
`nbgrader_config.py`. Imports point downwards only:

    errors    the named endings that a submission or a run can have
    intake    what was handed in → a notebook that can be graded, with reasons for what had to be mended
    execute   a notebook → its outputs, whatever its code does
"""
