using System.Diagnostics.CodeAnalysis;

namespace Native.LibUsb.Generator;

/// <summary>
/// Collects the errors of the header, the settings and the texts. Each error is one line. The generator continues after an error, so a single run reports all
/// independent errors.
/// </summary>
internal sealed class InputErrors
{
    private readonly List<string> _errors = [];

    public void Add(string error) => _errors.Add(error);

    /// <summary>Runs a step. If the step throws an exception, the method adds the errors of this exception.</summary>
    /// <param name="step">The step.</param>
    /// <param name="result">The result of the step. The result is null if the step threw an exception.</param>
    /// <returns>Whether the step returned a result.</returns>
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
