# Reads the tasks of a data folder from outside, in Python. The first part stands in docs/state-files.md; the second
# looks again and again while a server writes, and tells what it saw when its standard input ends.
import json, os, sys


def read_task(data_dir, task_id):
    """The newest state of a task as a dict, or None when there is no such task."""
    path = os.path.join(data_dir, "tasks", task_id[-2:], task_id + ".json")
    try:
        with open(path, encoding="utf-8") as file:
            task = json.load(file)
    except FileNotFoundError:
        return None
    if task["version"] != 1:
        raise ValueError(f"{path} has version {task['version']}, written by a later Madhava")
    return task


def task_ids(data_dir):
    for _folder, _folders, names in os.walk(os.path.join(data_dir, "tasks")):
        yield from (name[:-5] for name in names if name.endswith(".json") and name[0] != ".")
# --- end of the reader


def watch(data_dir):
    import select

    newest, faults = {}, []
    reads = changes = 0

    def tell(**what):
        print(json.dumps(what), flush=True)

    def fault(text):
        if len(faults) < 20:
            faults.append(text)
            tell(fault=text)

    while not select.select([sys.stdin], [], [], 0)[0]:
        for task_id in task_ids(data_dir):
            try:
                task = read_task(data_dir, task_id)
            except ValueError as error:
                fault(f"torn: {task_id}: {error}")
                continue
            if task is None:
                continue
            reads += 1
            if reads == 1:
                tell(reads=reads)
            place = (task["claim"], task["rev"])
            before = newest.get(task_id, (0, -1))
            if task["id"] != task_id:
                fault(f"mixed up: {task_id} holds {task['id']}")
            if place < before:
                fault(f"backward: {task_id} from {before} to {place}")
            if task["status"] == "PROGRESS" and task["result"] != "x" * int(task["progress"]["note"]):
                fault(f"half: {task_id} at {place}")
            changes += place != before
            newest[task_id] = place
    tell(reads=reads, changes=changes, tasks=len(newest), faults=faults)


if __name__ == "__main__":
    watch(sys.argv[1])
