#!/usr/bin/env python3
"""Runs lm-evaluation-harness on a small model and records what any4j must reproduce, request by request.

Install (versions matter; `--no-deps` because some of the harness's dependencies only serve other tasks):

    pip install torch==2.13.0 transformers==5.18.0 datasets==5.0.1 sacrebleu scikit-learn more_itertools accelerate \\
        peft zstandard dill aiohttp tenacity requests jinja2
    pip install --no-deps lm_eval==0.4.13

Usage:

    tools/lm_eval_parity.py own MODEL DATA OUT.json      # documents in the hub's format: the harness's own task files
    tools/lm_eval_parity.py prepared MODEL DATA OUT.json # documents in the formats of shared/eval/tasks; no texts recorded

The model runs in float32 on the CPU, one request at a time.
"""

import argparse
import gzip
import json
import os
import sys
import tempfile
import types
from importlib.metadata import version
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false", DISABLE_MULTIPROC="1")
# The harness imports this only to print tables.
sys.modules.setdefault(
    "pytablewriter", types.SimpleNamespace(MarkdownTableWriter=object, LatexTableWriter=object)
)

import lm_eval  # noqa: E402
import yaml  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402

TASK_FILES = Path(lm_eval.__file__).parent / "tasks"
PREFIX = "local_"  # the harness's own names cannot be redefined

OWN = {
    "hellaswag": ("hellaswag/hellaswag.yaml", "validation", "train"),
    "piqa": ("piqa/piqa.yaml", "validation", "train"),
    "arc_easy": ("arc/arc_easy.yaml", "test", "train"),
    "arc_challenge": ("arc/arc_challenge.yaml", "test", "train"),
    "winogrande": ("winogrande/default.yaml", "validation", "train"),
    "boolq": ("super_glue/boolq/default.yaml", "validation", "train"),
    "openbookqa": ("openbookqa/openbookqa.yaml", "test", "train"),
    "copa": ("super_glue/copa/default.yaml", "validation", "train"),
    "lambada_openai": ("lambada/lambada_openai.yaml", "test", None),
    "gsm8k": ("gsm8k/gsm8k.yaml", "test", "train"),
}
MMLU = ["anatomy", "business_ethics", "world_religions"]
ACCURACY = {"metric": "acc", "aggregation": "mean", "higher_is_better": True}
NORMALIZED = {"metric": "acc_norm", "aggregation": "mean", "higher_is_better": True}
PREPARED_LIMIT = 20


def write_yaml(folder, name, content):
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))


def own_tasks(data, folder):
    """The harness's definitions with local data; returns the names to run."""
    for name, (file, split, examples) in OWN.items():
        files = {split: str(data / f"{name}.{split}.jsonl")}
        task = {"include": str(TASK_FILES / file), "task": PREFIX + name, "dataset_path": "json", "dataset_name": None,
                "tag": None, "test_split": None, "validation_split": None, "training_split": None}
        task[f"{split}_split"] = split
        if examples:
            files[examples] = str(data / f"{name}.{examples}.jsonl")
            task["training_split"] = examples
        write_yaml(folder, name, task | {"dataset_kwargs": {"data_files": files}})
    subjects(data, folder)
    return [PREFIX + name for name in OWN] + [PREFIX + "mmlu"]


def subjects(data, folder):
    """MMLU has one task per subject, so its file is taken apart."""
    for subject in MMLU:
        files = {}
        for split in ("test", "dev"):
            lines = (data / f"mmlu.{split}.jsonl").read_text().splitlines()
            file = folder / f"{subject}.{split}.jsonl"
            file.write_text("".join(f"{line}\n" for line in lines if json.loads(line)["subject"] == subject))
            files[split] = str(file)
        write_yaml(folder, f"mmlu_{subject}", {
            "include": str(TASK_FILES / f"mmlu/default/mmlu_{subject}.yaml"), "task": f"{PREFIX}mmlu_{subject}",
            "dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": files}, "tag": None})
    write_yaml(folder, "mmlu", {
        "group": PREFIX + "mmlu", "task": [f"{PREFIX}mmlu_{subject}" for subject in MMLU],
        "aggregate_metric_list": [{"metric": "acc", "weight_by_size": True}]})


def prepared_tasks(data, folder):
    """Documents that carry their prompts; the harness only tokenizes and scores."""
    def lines(name):
        file = data / name
        text = gzip.open(file, "rt").read() if name.endswith(".gz") else file.read_text()
        return [json.loads(line) for line in text.splitlines()]

    def choices(name, documents, metrics):
        task(name, documents, {"doc_to_text": "text", "doc_to_choice": "choices", "doc_to_target": "gold"}, metrics)

    def task(name, documents, formats, metrics, output="multiple_choice"):
        file = folder / f"{name}.jsonl"
        file.write_text("".join(json.dumps(d) + "\n" for d in documents))
        write_yaml(folder, name, {
            "task": PREFIX + name, "dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(file)}},
            "test_split": "test", "output_type": output, "metric_list": metrics} | formats)

    def plain(documents):
        return [{"text": d["query"], "choices": d["choices"], "gold": d["gold"]} for d in documents]

    labels = [int(label) for label in (data / "piqa.valid-labels.lst").read_text().split()]
    arc = {r["doc_id"]: r["doc"] for r in lines("arc_easy_rc_0shot/requests.jsonl.gz")}
    choices("hellaswag", plain(lines("hellaswag.first2000.jsonl")), [ACCURACY, NORMALIZED])
    choices("piqa", [{"text": f"Question: {d['goal']}\nAnswer:", "choices": [d["sol1"], d["sol2"]], "gold": label}
                     for d, label in zip(lines("piqa.valid.jsonl"), labels)], [ACCURACY, NORMALIZED])
    choices("arc_easy", plain(arc.values()), [ACCURACY, NORMALIZED])
    choices("openbookqa", plain(lines("openbook_qa.jsonl")), [ACCURACY, NORMALIZED])
    choices("copa", [{"text": d["query"], "choices": [f" {c[0].lower()}{c[1:]}" for c in d["choices"]], "gold": d["gold"]}
                     for d in lines("copa.jsonl")], [ACCURACY])
    task("winogrande", lines("winogrande.jsonl"),
         {"doc_to_text": "gold", "doc_to_choice": "context_options", "doc_to_target": "continuation"}, [ACCURACY])
    task("lambada_openai", lines("lambada_openai.jsonl"),
         {"doc_to_text": "context", "doc_to_target": "{{' ' + continuation}}"},
         [{"metric": "perplexity", "aggregation": "perplexity", "higher_is_better": False}, ACCURACY], "loglikelihood")
    return [PREFIX + name for name in
            ("hellaswag", "piqa", "arc_easy", "openbookqa", "copa", "winogrande", "lambada_openai")]


def evaluate(model, names, folder, shots, limit):
    output = lm_eval.simple_evaluate(
        model=model, tasks=names, num_fewshot=shots, limit=limit, log_samples=True,
        task_manager=TaskManager(include_path=str(folder)))
    return {
        "shots": shots,
        "limit": limit,
        "results": {name.removeprefix(PREFIX): numbers(result) for name, result in output["results"].items()},
        "samples": {name.removeprefix(PREFIX): [sample(s) for s in samples]
                    for name, samples in sorted(output["samples"].items())},
    }


def numbers(result):
    return {key: value for key, value in result.items() if "," in key}


def sample(s):
    """One document under one filter: what was asked, what came back, and the metrics."""
    # Answers come one list per request, in which each repetition has an entry.
    answers = [answer[0] if isinstance(answer[0], (list, tuple)) else answer for answer in s["resps"]]
    requests = []
    for argument, answer in zip(s["arguments"], answers):
        context, asked = argument[0], argument[1]
        if isinstance(asked, str):
            requests.append({"context": context, "continuation": asked,
                             "loglikelihood": float(answer[0]), "greedy": as_bool(answer[1])})
        else:
            requests.append({"context": context, "until": asked["until"], "text": answer[0]})
    return {"document": s["doc_id"], "filter": s["filter"], "requests": requests,
            "metrics": {metric: float(s[metric]) for metric in s["metrics"]}}


def as_bool(value):
    return value in (True, "True")


def without_texts(run):
    for samples in run["samples"].values():
        for s in samples:
            s["requests"] = [{k: r[k] for k in ("loglikelihood", "greedy")} for r in s["requests"]]
    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["own", "prepared"])
    parser.add_argument("model")
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    model = HFLM(pretrained=args.model, dtype="float32", device="cpu", batch_size=1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if args.kind == "own":
            names = own_tasks(args.data.resolve(), folder)
            runs = [evaluate(model, names, folder, None, None), evaluate(model, names, folder, 2, None)]
        else:
            names = prepared_tasks(args.data.resolve(), folder)
            runs = [without_texts(evaluate(model, names, folder, None, PREPARED_LIMIT))]
    packages = ("lm_eval", "transformers", "torch", "tokenizers", "datasets")
    record = {"versions": {package: version(package) for package in packages}, "model": Path(args.model).name,
              "runs": runs}
    args.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
