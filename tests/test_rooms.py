"""Every module has its tests where one looks first: in test_<stem>.py, without the underscore of private modules.

A stem of functional, reference, nn and _core is one concept, with one file. A package has a folder of its own where its
stems mean something else elsewhere (bench, init, lr_scheduler, metrics); what is about losses is in losses/.
"""

from pathlib import Path

import pytest

import fastnn

TESTS, PACKAGE = Path(__file__).parent, Path(fastnn.__file__).parent
MODULES = sorted(p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py") if p.stem != "__init__")

# Modules without a file of their own: where they are tested, and why there.
ELSEWHERE = {
    "__main__.py": ("test_cli.py", "it calls the command"),
    "_version.py": ("test_cli.py", "a constant"),
    "sklearn/": ("sklearn/test_own_suite.py", "the pair by scikit-learn's own tests, its keywords in test_keywords.py"),
    "bench/contenders/": ("bench/test_contenders.py", "all of them compute the same"),
    "functional/_class_targets.py": ("losses/test_class_losses.py", "targets of several classes"),
    "reference/operands.py": ("compiler/test_operations.py", "what operations read and write"),
    "functional/_elementwise.py": ("test_arrays.py", "what all operations do about arrays"),
    "functional/bilinear.py": ("test_distances.py", "functions of two inputs"),
    "compiler/backward.py": ("test_program.py", "the gradients of programs"),
    "compiler/batch_run.py": ("test_hostile.py", "the fields that a compiled loop reads"),
    "compiler/builder.py": ("test_program.py", "what layers add to programs"),
    "compiler/compile.py": ("test_program.py", "the sections of programs"),
    "compiler/draft.py": ("test_program.py", "programs that are being made"),
    "compiler/listing.py": ("compiler/test_operations.py", "programs as they are printed"),
    "compiler/interfaces.py": ("test_floors.py", "protocols for annotations"),
    "onnx/_package.py": ("onnx/test_exporting.py", "the import of onnx"),
    "onnx/activation_nodes.py": ("onnx/test_exporting.py", "what it writes"),
    "onnx/assembling.py": ("onnx/test_loading.py", "networks of any wiring"),
    "onnx/backend.py": ("onnx/test_operators.py", "the official cases run through it"),
    "onnx/feature_moves.py": ("onnx/test_loading.py", "nodes of models"),
    "onnx/folding.py": ("onnx/test_loading.py", "nodes of models"),
    "onnx/graph.py": ("onnx/test_loading.py", "graphs of models"),
    "onnx/importing.py": ("onnx/test_loading.py", "nodes of models"),
    "onnx/layer_nodes.py": ("onnx/test_exporting.py", "what it writes"),
    "onnx/operator_layers.py": ("onnx/test_loading.py", "nodes of models"),
    "onnx/formulas.py": ("onnx/test_loading.py", "layers of loaded networks"),
    "onnx/shapes.py": ("onnx/test_loading.py", "shapes of models"),
    "onnx/specs.py": ("onnx/test_patterns.py", "layers of patterns"),
    "onnx/writer.py": ("onnx/test_exporting.py", "what it writes"),
    "training/search.py": ("test_lbfgs.py", "steps of optimizers that search"),
    "training/slices.py": ("test_trainer.py", "parts of epochs"),
    "training/inspection.py": ("test_trainer.py", "methods of trainers"),
    "training/scoring.py": ("test_engine.py", "what an engine counts"),
    "distributed/communicator.py": ("distributed/test_team.py", "what ranks use of a communicator"),
    "distributed/sums.py": ("distributed/test_tree.py", "what is added up"),
    "training/blocks.py": ("distributed/test_blocks.py", "steps of several ranks"),
    "training/together.py": ("distributed/test_together.py", "runs of several ranks"),
    "many/checkpoint.py": ("many/test_fleet.py", "checkpoints of fleets"),
    "many/progress.py": ("many/test_fleet.py", "the bar of fleets"),
    "many/strategies.py": ("many/test_sweep.py", "which networks are trained further"),
    "many/workers.py": ("many/test_fleet.py", "threads of fleets"),
    "sklearn/networks.py": ("many/test_ensemble.py", "estimators of ensembles"),
    "_plugged.py": ("testing/test_plugged.py", "backends of other packages"),
    "_pytest_plugin.py": ("testing/test_plugged.py", "it runs in a pytest of its own"),
    "testing/": ("testing/test_backend.py", "cases, and how results are measured"),
    "nn/unsupported.py": ("torch_/test_importing.py", "messages of the bridges"),
    "nn/loss.py": ("losses/test_losses.py", "the base of the losses"),
    "nn/frozen.py": ("test_freezing.py", "what freezing makes"),
    "nn/passes.py": ("test_network.py", "passes of networks"),
    "nn/python_loss.py": ("test_trainer.py", "losses of users in training"),
    "nn/regression_losses.py": ("losses/test_losses.py", "losses of numbers, with the base"),
    "nn/variables.py": ("test_module.py", "the base of Module"),
    "metrics/precision_recall.py": ("metrics/test_classification.py", "metrics of classification"),
    "nn/readers.py": ("test_hooks.py", "what calls hooks"),
    "keras/layers.py": ("keras_/test_importing.py", "each layer"),
    "torch/layers.py": ("torch_/test_importing.py", "each layer, there and back"),
    "torch/tracing.py": ("torch_/test_importing.py", "modules that torch.fx traces"),
    "torch/modules.py": ("torch_/test_exporting.py", "what networks become there"),
    "course/c0": ("course/test_chapters.py", "each chapter, with a condition on its numbers"),
    "course/c1": ("course/test_chapters.py", "each chapter, with a condition on its numbers"),
    "viz/_package.py": ("viz/test_saving.py", "the import of matplotlib"),
    "nn/registry.py": ("test_floors.py", "what modules use of modules above"),
    "nn/loading.py": ("test_saving.py", "reads what saving writes"),
    "optim/interfaces.py": ("test_floors.py", "protocols for annotations"),
    "reference/interfaces.py": ("test_floors.py", "protocols for annotations"),
    "compiler/program.py": ("test_program.py", "what runs it has that stem"),
    "functional/_vector_losses.py": ("losses/test_multilabel_losses.py", "the calls of losses of rows"),
    "functional/batch_norm.py": ("test_normalization.py", "all normalizations"),
    "functional/entropy.py": ("test_softmax.py", "entropies of softmax"),
    "functional/rectifiers.py": ("test_activations.py", "activations"),
    "functional/self_gated.py": ("test_activations.py", "activations"),
    "functional/sigmoids.py": ("test_activations.py", "activations"),
    "functional/_documentation.py": ("test_docs.py", "docstrings"),
    "optim/lr_scheduler/powers.py": ("lr_scheduler/test_base.py", "the numbers of all schedulers"),
    "optim/lr_scheduler/schedule.py": ("lr_scheduler/test_base.py", "the base of schedulers with a closed form"),
    "playground/choices.py": ("playground/test_settings.py", "what settings may be"),
    "playground/recipes.py": ("playground/test_calls.py", "calls of settings"),
    "reference/mixing.py": ("test_mixup.py", "what Mixup does to a batch"),
    "training/checkpointer.py": ("test_checkpoint.py", "it writes the checkpoints of a run"),
    "training/loop.py": ("test_run.py", "what a run does, as its callbacks see it"),
    "training/monitor.py": ("test_stopping.py", "callbacks compare by it"),
    "optim/lr_scheduler/cosine.py": ("lr_scheduler/test_base.py", "the numbers of all schedulers"),
    "optim/lr_scheduler/swa.py": ("lr_scheduler/test_base.py", "the numbers of all schedulers"),
    "optim/functional/_update.py": ("test_updates.py", "what the updates share"),
    "reference/optimizers/_shared.py": ("test_updates.py", "what the updates share"),
    "optim/functional/sign.py": ("test_updates.py", "all rules, step by step; Rprop has test_rprop.py"),
    "reference/optimizers/sign.py": ("test_optimizers.py", "all rules, by hand"),
    "optim/adadelta.py": ("test_optimizer.py", "a class of hyperparameters: tests of all optimizers"),
    "optim/adafactor.py": ("test_matrix_rules.py", "rules that work on whole matrices"),
    "optim/muon.py": ("test_matrix_rules.py", "rules that work on whole matrices"),
    "optim/asgd.py": ("test_averaged.py", "rules that average the parameters"),
    "optim/adagrad.py": ("test_optimizer.py", "a class of hyperparameters: tests of all optimizers"),
    "optim/adamax.py": ("test_optimizer.py", "a class of hyperparameters: tests of all optimizers"),
    "optim/lion.py": ("test_optimizer.py", "a class of hyperparameters: tests of all optimizers"),
    "optim/updating.py": ("test_optimizer.py", "the base of Optimizer"),
    "optim/states.py": ("test_optimizer.py", "the base of Optimizer"),
    "optim/radam.py": ("test_optimizer.py", "a class of hyperparameters: tests of all optimizers"),
}


# Packages that are one concept in parts: they are tested in one file, of their name.
SPLIT = {"_validation", "activations", "inplace", "metric", "rules"}

# Rooms of other libraries, whose tests are in torch_/ and so on: a folder torch/ would stand before the library.
PARTNERS = {"torch", "keras", "jax", "thinc"}


def home(module):
    """The test file of a module by its stem, or, in a package that is one concept in parts, by the package's."""
    path = Path(module)
    stem, package = path.stem.lstrip("_"), path.parent.name
    folder = "losses" if stem.endswith("losses") else package
    folder = f"{folder}_" if folder in PARTNERS else folder
    own = TESTS / (folder if (TESTS / folder).is_dir() else "") / f"test_{stem}.py"
    above = TESTS / (path.parent.parent.name if (TESTS / path.parent.parent.name).is_dir() else "")
    whole = above / f"test_{package.lstrip('_')}.py"
    return whole if package in SPLIT and not own.exists() else own


def test_every_module_has_a_test_file_by_its_stem():
    missing = [module for module in MODULES if not (home(module).exists() or module.startswith(tuple(ELSEWHERE)))]
    assert not missing, f"write tests/test_<stem>.py for {missing}, or say in ELSEWHERE where they are tested"


def test_compiled_modules_have_one_too():
    """Extension modules, by the names of the libraries: activations.cpython-311-x86_64-linux-gnu.so."""
    stems = sorted(path.name.split(".")[0] for path in (PACKAGE / "_core").glob("*.so"))
    assert stems
    # test_epochs.py, test_program.py, test_updates.py, compiler/test_operations.py; Cython's own code
    elsewhere = ("loops", "resolve", "rules", "interpreter", "loss_operations", "cython_shared")
    missing = [stem for stem in stems if not home(f"_core/{stem}").exists() and stem not in elsewhere]
    assert not missing, f"write tests/test_<stem>.py for {missing}"


@pytest.mark.parametrize("start", ELSEWHERE)
def test_exceptions_are_needed(start):
    modules = [module for module in MODULES if module.startswith(start)]
    place, _ = ELSEWHERE[start]
    assert modules and (TESTS / place).exists()
    assert not all(home(module).exists() for module in modules), f"{start} has a test file: it is no exception"
