using System.Diagnostics.CodeAnalysis;

namespace Native.LibUsb.Generator;

/// <summary>
/// Collects the errors of the header, the settings and the texts, one line for each error. The generator continues after an error. One run therefore reports
/// all errors that are not consequences of other errors.
/// </summary>
internal sealed class InputErrors
{
    private readonly List<string> _errors = [];

    public void Add(string error) => _errors.Add(error);

    /// <summary>Runs a step, and adds the errors that it throws.</summary>
    /// <param name="step">The step.</param>
    /// <param name="result">The result of the step; null if the step threw.</param>
    /// <returns>Whether the step has a result.</returns>
    public bool Try<T>(Func<T> step, [NotNullWhen(true)] out T? result)
        where T : class
    {
        try
        {
            result = step();
            return true;
        }
        catch (GeneratorException e)
        {
            _errors.AddRange(e.Errors);
            result = null;
            return false;
        }
    }

    /// <summary>Throws if there are errors.</summary>
    public void ThrowIfAny()
    {
        if (_errors.Count > 0)
            throw new GeneratorException(_errors);
    }
}
