"""Whether smaller or larger values of a metric are better, by its name."""

from __future__ import annotations

import re

# Names match in any case and with any prefix ("val_", the name of a head, "balanced_").
LARGER_IS_BETTER = """
accuracy acc top1 top3 top5 top10 exact_match hit_rate hits win_rate
auc auroc roc_auc auc_roc aucroc rocauc auprc aucpr pr_auc auc_pr prauc average_precision ap map m_ap ap50 ap75 map50
precision ppv npv positive_predictive_value negative_predictive_value recall sensitivity specificity selectivity
tpr tnr true_positive_rate true_negative_rate
f f1 f2 f_1 f_2 f0_5 f05 fbeta f_beta f1score f2score fscore fbetascore f_measure fmeasure g_mean gmean
mcc matthews matthews_corrcoef matthews_correlation matthews_correlation_coefficient phi phi_coefficient
kappa cohen_kappa cohens_kappa cohenkappa qwk iou miou io_u m_io_u intersection_over_union jaccard jaccard_index
dice dice_coef dice_coefficient dsc tversky tversky_index
r2 r_2 r2score rsq r_sq r_squared rsquared r_square r2_adj r2_adjusted determination coefficient_of_determination
explained_variance evs d2 d2_absolute_error d2_pinball d2_pinball_loss d2_tweedie d2_log_loss d2_brier nse kge
corr corrcoef correlation correlation_coefficient pearson pearsonr pearson_corrcoef pcc ccc spearman spearmanr
spearman_corrcoef srcc plcc kendall kendalltau kendall_tau concordance concordance_index c_index cindex
ndcg dcg mrr mean_reciprocal_rank reciprocal_rank bleu rouge meteor chrf ssim ms_ssim psnr snr sdr si_sdr
similarity cosine_similarity informedness youden youden_j youdens_j markedness
rand rand_index adjusted_rand ari nmi ami mutual_info mutual_information v_measure homogeneity completeness silhouette
likelihood log_likelihood loglikelihood loglik elbo reward return returns episode_reward episode_return sharpe
sharpe_ratio profit lift inception_score
"""
SMALLER_IS_BETTER = """
loss losses logloss error err errors cost regret residual deviance
mae mse rmse mape smape wape wmape mase msle rmsle medae mdae mre rae rse rrse sse rss rmspe mspe nmae nmse nrmse mpjpe
logcosh log_cosh huber pinball hinge squared_hinge categorical_hinge poisson crps
cross_entropy crossentropy xent bce ce nll nlpd negative_log_likelihood neg_log_likelihood negative_loglikelihood kl
kld kldiv kl_div kl_divergence kullback_leibler_divergence js jsd js_divergence divergence wasserstein emd
perplexity ppl bpc bpb bits_per_character bits_per_byte bits_per_dim bpd
brier ece mce ace calibration_error rps
fpr fnr fdr far frr eer fallout false_positive_rate false_negative_rate false_discovery_rate false_omission_rate
miss_rate error_rate misclassification misclassification_rate misclassified
hamming distance cosine_distance edit_distance levenshtein hausdorff chamfer cer wer ter per fid lpips kid
davies_bouldin aic bic seconds time duration latency
"""
# Suffixes that do not change the direction: the kind of average, or k.
BEHIND = {"macro", "micro", "weighted", "binary", "samples", "multiclass", "multilabel", "score", "metric", "at", "k"}
BEHIND |= {"mean", "avg", "ovr", "ovo"}
FLIPPED = {"neg", "negative", "negated"}  # prefixes that reverse the direction: scikit-learn's neg_mean_squared_error

_KNOWN = {
    name: mode for names, mode in ((LARGER_IS_BETTER, "max"), (SMALLER_IS_BETTER, "min")) for name in names.split()
}


def direction(name: str, mode: str = "auto") -> str:
    """Return `mode`, or for "auto" the direction of the named metric: "min" or "max".

    Raises
    ------
    ValueError
        If mode is "auto" and the name is not known.
    """
    if mode != "auto":
        return mode
    for spelled in (name, re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)):
        found = _known([word for word in re.split(r"[^a-z0-9]+", spelled.lower()) if word])
        if found is not None:
            return found
    raise ValueError(
        f"mode must be 'min' or 'max' for {name!r}: its name does not say whether smaller or larger is better"
    )


def _known(words: list[str]) -> str | None:
    """The direction of the longest known name that ends these words, suffixes of `BEHIND` and numbers aside."""
    for stop in range(len(words), 0, -1):
        for start in range(stop):
            mode = _KNOWN.get("_".join(words[start:stop]))
            if mode is not None:
                flipped = bool(FLIPPED & set(words[:start]))
                return {"min": "max", "max": "min"}[mode] if flipped else mode
        if words[stop - 1] not in BEHIND and not words[stop - 1].isdigit():
            break
    return None
