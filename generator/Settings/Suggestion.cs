namespace Native.LibUsb.Generator.Settings;

/// <summary>Finds a known name that resembles an unknown name.</summary>
internal static class Suggestion
{
    /// <summary>
    /// Returns " (did you mean 'x'?)", where x is the most similar of the <paramref name="known"/> names. If no known name is similar, the result is an empty
    /// text.
    /// </summary>
    public static string For(string name, IEnumerable<string> known)
    {
        (string candidate, int distance) best = known.Select(candidate => (candidate, distance: Distance(name, candidate))).OrderBy(pair => pair.distance)
            .ThenBy(pair => pair.candidate, StringComparer.Ordinal).FirstOrDefault();
        return best.candidate is not null && best.distance <= Math.Max(2, name.Length / 4) ? $" (did you mean '{best.candidate}'?)" : "";
    }

    // Computes the Levenshtein distance with two rows of the matrix, and ignores case.
    private static int Distance(string left, string right)
    {
        int[] previous = Enumerable.Range(0, right.Length + 1).ToArray();
        int[] current = new int[right.Length + 1];
        for (int i = 0; i < left.Length; i++)
        {
            current[0] = i + 1;
            for (int j = 0; j < right.Length; j++)
            {
                int change = char.ToUpperInvariant(left[i]) == char.ToUpperInvariant(right[j]) ? 0 : 1;
                current[j + 1] = Math.Min(previous[j] + change, Math.Min(previous[j + 1], current[j]) + 1);
            }

            (previous, current) = (current, previous);
        }

        return previous[right.Length];
    }
}
