namespace Native.LibUsb.Bench.Report;

/// <summary>Represents the measurements of one program that does the given work.</summary>
/// <param name="Subject">The program.</param>
/// <param name="Work">The work.</param>
/// <param name="Nanoseconds">The processor time of one transfer.</param>
/// <param name="Ratio">The processor time divided by the processor time of the program in C in the same round.</param>
/// <param name="RatioToFacade">
/// The processor time divided by the processor time of the AOT facade in the same round and with the same work; null if the AOT facade did not run.
/// </param>
/// <param name="Account">
/// The results that the program printed before it exited. If the program was started several times, these results are from the last start.
/// </param>
internal sealed record Measurement(string Subject, string Work, Spread Nanoseconds, Spread Ratio, Spread? RatioToFacade, Account Account);

/// <summary>
/// Runs programs in turn, for a few milliseconds each, so that any other load on the machine slows all of them equally. A ratio compares two slices of the same
/// round, and the report contains the median of the ratios of all rounds. The class starts the programs several times, because the system chooses different
/// memory addresses at each start, and these addresses change the speed of a program by a tenth.
/// </summary>
internal sealed class InTurn(int launches, int rounds, TimeSpan slice)
{
    // After this number of slices, the programs count their allocations: see bench/Capture/Work.cs.
    private const int WarmUpSlices = 100;

    // The time that the runtime needs until it has compiled the hot code for the last time.
    private static readonly TimeSpan s_compilation = TimeSpan.FromSeconds(0.8);

    /// <summary>Measures all programs, and compares each program with the program that <paramref name="baselineOf"/> selects.</summary>
    /// <param name="entries">The programs and their work.</param>
    /// <param name="baselineOf">
    /// A function that takes the index of an entry, and returns the index of the entry's baseline.
    /// </param>
    public List<Measurement> Run(IReadOnlyList<(Subject Subject, Work Work)> entries, Func<int, int> baselineOf)
    {
        var nanoseconds = new List<double>[entries.Count];
        var ratios = new List<double>[entries.Count];
        var accounts = new Account[entries.Count];
        int[] facades = [.. entries.Select(entry => FacadeOf(entries, entry.Work))];
        for (int i = 0; i < entries.Count; i++)
            (nanoseconds[i], ratios[i]) = ([], []);
        for (int launch = 0; launch < launches; launch++)
        {
            var running = new List<Measured>();
            try
            {
                foreach ((Subject subject, Work work) in entries)
                    running.Add(new Measured(subject, work));
                long[] transfers = [.. running.Select(WarmUp)];
                double[] times = new double[entries.Count];
                for (int round = 0; round < rounds; round++)
                {
                    for (int turn = 0; turn < entries.Count; turn++)
                    {
                        int i = (turn + round) % entries.Count;
                        times[i] = running[i].Slice(transfers[i]);
                    }

                    for (int i = 0; i < entries.Count; i++)
                    {
                        nanoseconds[i].Add(times[i]);
                        ratios[i].Add(times[i] / times[baselineOf(i)]);
                    }
                }

                for (int i = 0; i < entries.Count; i++)
                    accounts[i] = running[i].End();
            }
            finally
            {
                running.ForEach(static measured => measured.Dispose());
            }
        }

        return
        [
            .. entries.Select((entry, i) => new Measurement(
                entry.Subject.Name, entry.Work.Name, Spread.Of(nanoseconds[i]), Spread.Of(ratios[i]),
                facades[i] < 0 ? null : Spread.Of(nanoseconds[i].Zip(nanoseconds[facades[i]], static (one, facade) => one / facade)), accounts[i])),
        ];
    }

    private static int FacadeOf(IReadOnlyList<(Subject Subject, Work Work)> entries, Work work)
    {
        for (int i = 0; i < entries.Count; i++)
        {
            if (entries[i].Subject == Subjects.AotFacade && entries[i].Work == work)
                return i;
        }

        return -1;
    }

    // Runs the first slices, in which the program does not count its allocations. At the end of these slices, the runtime has compiled the hot code. Returns
    // how many transfers a measured slice must perform to take the intended time.
    private long WarmUp(Measured measured)
    {
        TimeSpan part = measured.Subject.IsCompiledJustInTime ? s_compilation / WarmUpSlices : slice;
        long transfers = 1000 / measured.Work.Contexts;
        double each = 0;
        for (int slices = 0; slices < WarmUpSlices; slices++)
        {
            each = measured.Slice(transfers);
            transfers = Fill(part, each);
        }

        return Fill(slice, each);

        long Fill(TimeSpan time, double each) => Math.Max(50, (long)(time.TotalNanoseconds / each / measured.Work.Contexts));
    }
}
