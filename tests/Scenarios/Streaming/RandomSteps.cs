using System.Globalization;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Generates random numbers for a test that performs random steps and compares an object with its model. The constructor writes the seed to standard error.
/// xunit forwards standard error while the test runs, so the output contains the seed even if the test hangs. To repeat a run, set NATIVE_LIBUSB_TEST_SEED to
/// the seed of this run.
/// </summary>
public sealed class RandomSteps
{
    private readonly Random _random;
    private readonly List<string> _last = [];

    public RandomSteps(string test, int steps)
    {
        Seed = int.TryParse(Environment.GetEnvironmentVariable("NATIVE_LIBUSB_TEST_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out int seed)
            ? seed
            : Random.Shared.Next();
        _random = new Random(Seed);
        Steps = steps;
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{test}: {steps} steps, seed {Seed}"));
    }

    public int Seed { get; }

    public int Steps { get; }

    /// <summary>Gets or sets the number of the current step.</summary>
    public int Step { get; set; }

    /// <summary>Returns a random number from 0 to one less than <paramref name="end"/>.</summary>
    public int Below(int end) => _random.Next(end);

    public bool OneIn(int count) => _random.Next(count) == 0;

    /// <summary>Records the description of a step. The message of a failure contains the descriptions of the last steps.</summary>
    public void Does(string what)
    {
        if (_last.Count == 20)
            _last.RemoveAt(0);
        _last.Add(string.Create(CultureInfo.InvariantCulture, $"{Step}: {what}"));
    }

    /// <summary>Fails with the descriptions of the last steps if the model's value differs from the ring's value.</summary>
    public void Same<T>(T model, T real, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(model, real))
            Fail($"{what}: the model has {model}, the ring {real}");
    }

    public void Fail(string what) =>
        Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"Seed {Seed}, step {Step}. {what}.\n{string.Join("\n", _last)}"));
}
